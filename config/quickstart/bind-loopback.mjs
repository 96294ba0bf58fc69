/**
 * Preload for a demo server that can't be told which address to listen on: a server that names only a
 * port would accept connections from the whole network; this makes it 127.0.0.1.
 *
 * Usage: node --import ./bind-loopback.mjs server.js
 */
import { Server } from 'node:net';

const LOOPBACK = '127.0.0.1';
const listen = Server.prototype.listen;

Server.prototype.listen = function listenOnLoopback(...parameters) {
  const [first, second] = parameters;
  if (typeof first === 'object' && first !== null && first.port !== undefined) {
    parameters[0] = { host: LOOPBACK, ...first };
  } else if (isPort(first) && typeof second !== 'string') {
    parameters.splice(1, 0, LOOPBACK);
  }
  return listen.apply(this, parameters);
};

function isPort(value) {
  return typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value));
}
