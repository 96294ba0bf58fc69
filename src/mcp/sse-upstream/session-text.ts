/**
 * The session id that a client of an SSE-only server gets, before it is sealed: it says enough to open a
 * new connection to the server where the one it was issued for is gone, or is another worker's.
 */

import { isJsonObject, readJson, type JsonObject } from '../../json/read-json.ts';
import type { JsonLimits } from '../../json/scan-json.ts';
import type { Bytes } from '../../units.ts';

/** What `initialize` said of the client (MCP 2024-11-05 to 2025-11-25, Lifecycle). */
export interface InitializeParams {
  readonly protocolVersion: string;
  readonly capabilities: JsonObject;
  readonly clientInfo: JsonObject;
}

export interface SseSession {
  /** Names the connection within a worker. */
  readonly uid: string;
  readonly params: InitializeParams;
}

/** What is remembered of a client at most, in octets. */
export const maxParamsBytes: Bytes = 3072;

const UID = /^[\w-]{16,32}$/;
const VERSION = /^[!-~]{1,64}$/;
/** Printable ASCII without a blank: what a session id may hold (MCP 2025-03-26, Session Management). */
const SESSION = /^[!-~]+$/;
const LIMITS: JsonLimits = { maxDepth: 32, maxValues: 2000 };
const NAMELESS: JsonObject = { name: '', version: '' };
const longestNamePart = 128;

/**
 * Takes from the parameters of `initialize` what is worth remembering. Parts that are too large, or of a
 * wrong type, are left out, the least needed first: the client's title and icons, then experimental
 * capabilities and extensions, then all capabilities. The version defaults to the first revision.
 */
export function rememberedParams(params: JsonObject): InitializeParams {
  const version = params.protocolVersion;
  const protocolVersion =
    typeof version === 'string' && VERSION.test(version) ? version : '2024-11-05';
  const all = isJsonObject(params.capabilities) ? params.capabilities : {};
  const info = isJsonObject(params.clientInfo) ? params.clientInfo : NAMELESS;
  const standard = without(all, ['experimental', 'extensions']);
  const named = { name: shortText(info.name), version: shortText(info.version) };
  const choices: readonly (readonly [JsonObject, JsonObject])[] = [
    [all, info],
    [all, named],
    [standard, named],
  ];
  for (const [capabilities, clientInfo] of choices) {
    const candidate = { protocolVersion, capabilities, clientInfo };
    if (fits(asciiJson(candidate))) return candidate;
  }
  return { protocolVersion, capabilities: {}, clientInfo: named };
}

/** Writes a session as printable ASCII without blanks, at most {@link maxParamsBytes} and a few more octets. */
export function writeSession({ uid, params }: SseSession): string {
  return `${uid}.${asciiJson(params)}`;
}

/**
 * Reads what {@link writeSession} wrote.
 *
 * @returns `null` for anything else
 */
export function readSession(text: string): SseSession | null {
  const dot = text.indexOf('.');
  if (dot < 0 || text.length - dot > maxParamsBytes + 1 || !SESSION.test(text)) return null;
  const uid = text.slice(0, dot);
  if (!UID.test(uid)) return null;
  const { value } = readJson(Buffer.from(text.slice(dot + 1), 'latin1'), LIMITS);
  if (!isJsonObject(value)) return null;
  const { protocolVersion, capabilities, clientInfo, ...rest } = value;
  if (Object.keys(rest).length > 0) return null;
  if (typeof protocolVersion !== 'string' || !VERSION.test(protocolVersion)) return null;
  if (!isJsonObject(capabilities) || !isJsonObject(clientInfo)) return null;
  return { uid, params: { protocolVersion, capabilities, clientInfo } };
}

/** Whether {@link readSession} will read it again. */
function fits(params: string): boolean {
  return params.length <= maxParamsBytes && readJson(Buffer.from(params), LIMITS).problem === null;
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

function shortText(value: unknown): string {
  return typeof value === 'string'
    ? value.slice(0, longestNamePart).replace(/\p{Surrogate}/gu, '')
    : '';
}

/** JSON in which everything but printable ASCII is escaped, blanks too. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^!-~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
