import { headerValue, type HeaderFields, type RequestHead } from '../accept/request-head.ts';
import type { CorsPlan } from '../plan.ts';
import { compileAllowedOrigins } from './allowed-origins.ts';

/** The compiled CORS filter of one rule (WHATWG Fetch, HTTPCORSFilter of Gateway API). */
export interface CompiledCors {
  /** The answer's header fields if this is a preflight that the filter answers, else `null`. */
  preflight(head: RequestHead): HeaderFields | null;
  /** Fields to set on an actual answer; empty where the origin is not allowed or absent. */
  responseHeaders(head: RequestHead): HeaderFields;
}

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The fields of an answer that an MCP client in a browser has to read. */
const mcpFields = ['mcp-session-id', 'mcp-protocol-version', 'www-authenticate'] as const;

/**
 * Prepares a CORS filter.
 *
 * A preflight is an OPTIONS request with an Origin and an Access-Control-Request-Method that is a token. It
 * is answered only for an allowed origin; all others go on like any request. Whether the method and the
 * headers are allowed is left to the browser, as WHATWG Fetch, 4.8, has it.
 *
 * `*` in allowOrigins is answered with `*`, or with the request's origin where credentials are allowed; `*`
 * in allowMethods and allowHeaders with what the preflight asks for, because browsers don't take `*` to
 * cover Authorization. The origin `null` is allowed by `null`, and by `*` without credentials.
 */
export function compileCors(plan: CorsPlan): CompiledCors {
  const origins = compileAllowedOrigins(plan.allowOrigins);
  const allowMethods = listOrAny(plan.allowMethods);
  const allowHeaders = listOrAny(plan.allowHeaders);
  const exposeHeaders = exposed(plan);
  const maxAge = String(plan.maxAgeSeconds);

  const originFields = (head: RequestHead): HeaderFields | null => {
    const origin = headerValue(head.headers, 'origin');
    if (origin === undefined || origin === '') return null;
    if (origins.any && !plan.allowCredentials) return ['access-control-allow-origin', '*'];
    if (!origins.includes(origin)) return null;
    const fields = ['access-control-allow-origin', origin, 'vary', 'origin'];
    if (plan.allowCredentials) fields.push('access-control-allow-credentials', 'true');
    return fields;
  };

  return {
    preflight(head) {
      if (head.method !== 'OPTIONS') return null;
      const method = headerValue(head.headers, 'access-control-request-method');
      if (method === undefined || !TOKEN.test(method)) return null;
      const fields = originFields(head);
      if (fields === null) return null;
      const methods = allowMethods === ANY ? method : allowMethods;
      const headers = allowHeaders === ANY ? requestedHeaders(head) : allowHeaders;
      if (methods !== null) fields.push('access-control-allow-methods', methods);
      if (headers !== null) fields.push('access-control-allow-headers', headers);
      if (exposeHeaders !== null) fields.push('access-control-expose-headers', exposeHeaders);
      fields.push('access-control-max-age', maxAge);
      return fields;
    },
    responseHeaders(head) {
      const fields = originFields(head) ?? [];
      if (fields.length > 0 && exposeHeaders !== null) {
        fields.push('access-control-expose-headers', exposeHeaders);
      }
      return fields;
    },
  };
}

const ANY = Symbol('any');

function listOrAny(values: readonly string[]): string | typeof ANY | null {
  if (values.includes('*')) return ANY;
  return values.length === 0 ? null : values.join(', ');
}

/** The filter of a rule that leads to an MCP server: it exposes what MCP clients need besides what it names. */
export function exposedToMcpClients(plan: CorsPlan): CorsPlan {
  const { exposeHeaders } = plan;
  if (exposeHeaders.includes('*')) return plan;
  const named = new Set(exposeHeaders.map((name) => name.toLowerCase()));
  return {
    ...plan,
    exposeHeaders: [...exposeHeaders, ...mcpFields.filter((name) => !named.has(name))],
  };
}

function exposed(plan: CorsPlan): string | null {
  const names = listOrAny(plan.exposeHeaders);
  if (names !== ANY) return names;
  // With credentials, browsers take `*` for a field of that name.
  return plan.allowCredentials ? mcpFields.join(', ') : '*';
}

/** @returns `null` where the preflight names no headers, or something that is no header name */
function requestedHeaders(head: RequestHead): string | null {
  const value = headerValue(head.headers, 'access-control-request-headers');
  if (value === undefined) return null;
  const names = value.split(',').map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  return given.length > 0 && given.every((name) => TOKEN.test(name)) ? given.join(', ') : null;
}
