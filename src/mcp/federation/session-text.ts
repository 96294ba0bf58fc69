/**
 * What the session id of a federation says once it is unsealed: the sessions at all targets, and how the client
 * introduced itself, so that any replica can go on with the session, or open an expired one again.
 */

import { isJsonObject, readJson, type JsonObject } from '../../json/read-json.ts';

/** What a target offers, one letter each. */
export const offerLetters = Object.freeze({
  tools: 't',
  prompts: 'p',
  resources: 'r',
  subscribe: 's',
  logging: 'l',
  completions: 'c',
  tasks: 'k',
});
export type Offer = keyof typeof offerLetters;

/** The session at one target. */
export interface TargetSession {
  /** `null` where the target issues none, and in the modern era. */
  readonly id: string | null;
  readonly version: string;
  /** Letters of {@link offerLetters}. */
  readonly offers: string;
  /** Counts how often it was opened anew; the higher one holds. */
  readonly generation: number;
}

/** How the client introduced itself in `initialize`. */
export interface ClientParams {
  readonly protocolVersion: string;
  readonly capabilities: JsonObject;
  readonly clientInfo: JsonObject;
}

/** The log level that the client has set (`logging/setLevel`). */
export interface LogLevel {
  readonly level: string;
  /** Counts how often it was set; the higher one holds. */
  readonly generation: number;
}

export interface FederatedSession {
  /** Random; the same for as long as the session lasts. */
  readonly key: string;
  readonly targets: ReadonlyMap<string, TargetSession>;
  readonly client: ClientParams;
  /** `null` where the client has set none. */
  readonly logLevel: LogLevel | null;
}

/** Longest text, in octets: what a sealed id can carry. */
const MAX_TEXT_BYTES = 4096;
/** Most characters of the client's capabilities, and of its name and version. */
const MAX_CAPABILITIES_LENGTH = 1200;
const MAX_INFO_LENGTH = 80;
const MAX_ID_LENGTH = 1024;
const SESSION_ID = /^[\x21-\x7e]{1,1024}$/;
const LOG_LEVELS: ReadonlySet<string> = new Set([
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
]);
const LIMITS = Object.freeze({ maxDepth: 16, maxValues: 2000 });

/** @returns `null` where a target's session ids leave no room */
export function writeSession({ key, targets, client, logLevel }: FederatedSession): string | null {
  const sessions = Object.fromEntries(
    [...targets].map(([name, { id, version, offers, generation }]) => [
      name,
      [id, version, offers, generation],
    ]),
  );
  const { protocolVersion: v, capabilities: c, clientInfo: i } = client;
  const l = logLevel === null ? undefined : [logLevel.level, logLevel.generation];
  const text = JSON.stringify({ k: key, t: sessions, v, c, i, l });
  return Buffer.byteLength(text) <= MAX_TEXT_BYTES ? text : null;
}

/** Reads what {@link writeSession} wrote; `null` for anything else, such as the id of a single target. */
export function readSession(text: string): FederatedSession | null {
  const { value } = readJson(Buffer.from(text), LIMITS);
  if (!isJsonObject(value)) return null;
  const { k: key, t: sessions, v: protocolVersion, c: capabilities, i: clientInfo, l } = value;
  if (typeof key !== 'string' || typeof protocolVersion !== 'string') return null;
  if (!isJsonObject(sessions) || !isJsonObject(capabilities) || !isJsonObject(clientInfo)) {
    return null;
  }
  const targets = new Map<string, TargetSession>();
  for (const [name, fields] of Object.entries(sessions)) {
    const session = readTarget(fields);
    if (session === null) return null;
    targets.set(name, session);
  }
  const client = { protocolVersion, capabilities, clientInfo };
  return { key, targets, client, logLevel: readLogLevel(l) };
}

function readLogLevel(fields: unknown): LogLevel | null {
  if (!Array.isArray(fields)) return null;
  const [level, generation] = fields as readonly unknown[];
  return isLogLevel(level) && typeof generation === 'number' ? { level, generation } : null;
}

/** Whether it is one of the levels of RFC 5424 (MCP 2025-11-25, Logging). */
export function isLogLevel(level: unknown): level is string {
  return typeof level === 'string' && LOG_LEVELS.has(level);
}

function readTarget(fields: unknown): TargetSession | null {
  if (!Array.isArray(fields)) return null;
  const [id, version, offers, generation] = fields as readonly unknown[];
  if (id !== null && (typeof id !== 'string' || id.length > MAX_ID_LENGTH)) return null;
  if (typeof version !== 'string' || typeof offers !== 'string') return null;
  return typeof generation === 'number' ? { id, version, offers, generation } : null;
}

/** Whether an id that a target issued is one (MCP 2025-11-25, session management: visible ASCII). */
export function isSessionId(id: string): boolean {
  return SESSION_ID.test(id);
}

/**
 * What is kept of the params of `initialize`: capabilities that are too long are cut to their names, so that the
 * targets still learn what the client can do.
 */
export function boundClientParams(params: JsonObject): ClientParams {
  const { protocolVersion, capabilities, clientInfo } = params;
  const given = isJsonObject(capabilities) ? capabilities : {};
  const isShort = JSON.stringify(given).length <= MAX_CAPABILITIES_LENGTH;
  const known = ['roots', 'sampling', 'elicitation', 'tasks'].filter((name) =>
    isJsonObject(given[name]),
  );
  const info = isJsonObject(clientInfo) ? clientInfo : {};
  return {
    protocolVersion:
      typeof protocolVersion === 'string' ? protocolVersion.slice(0, 32) : '2025-03-26',
    capabilities: isShort ? given : Object.fromEntries(known.map((name) => [name, {}])),
    clientInfo: { name: short(info.name), version: short(info.version) },
  };
}

function short(value: unknown): string {
  return typeof value === 'string' ? Buffer.from(value.slice(0, MAX_INFO_LENGTH)).toString() : '';
}
