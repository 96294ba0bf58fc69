/**
 * Given to node with --import: every HTTP request of the process carries the bearer token that the environment
 * names. The conformance suite has no option for it, and its scenarios use fetch, undici and node:http alike.
 */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import http from 'node:http';
import https from 'node:https';

const { CONFORMANCE_TOKEN: token, CONFORMANCE_UNDICI: undiciPath } = process.env;
const name = 'authorization';
const value = `Bearer ${token}`;

// fetch of Node itself and the undici of the suite share the global dispatcher.
const undici = createRequire(import.meta.url)(undiciPath);
undici.setGlobalDispatcher(
  undici.getGlobalDispatcher().compose((dispatch) => (options, handler) => {
    return dispatch({ ...options, headers: withToken(options.headers) }, handler);
  }),
);

/** undici takes headers as a flat list, as an iterable of pairs, or as an object. */
function withToken(headers) {
  const pairs = [];
  if (Array.isArray(headers) && !Array.isArray(headers[0])) {
    for (let index = 0; index < headers.length; index += 2) {
      pairs.push([headers[index], headers[index + 1]]);
    }
  } else if (headers?.[Symbol.iterator] !== undefined) {
    pairs.push(...headers);
  } else {
    pairs.push(...Object.entries(headers ?? {}));
  }
  const isThere = pairs.some(([field]) => String(field).toLowerCase() === name);
  return isThere ? headers : [...pairs, [name, value]].flat();
}

for (const module of [http, https]) {
  const plainRequest = module.request;
  module.request = (...given) => {
    const request = plainRequest(...given);
    if (!request.headersSent && !request.hasHeader(name)) request.setHeader(name, value);
    return request;
  };
}
syncBuiltinESMExports();
