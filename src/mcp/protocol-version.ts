/** The members of `params._meta` that make a message modern (MCP 2026-07-28, Streamable HTTP). */
export const PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';
export const CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

const FIRST_MODERN_VERSION = '2026-07-28';

/** Whether a protocol version, a date, belongs to the modern era. */
export function isModernVersion(version: string): boolean {
  return version >= FIRST_MODERN_VERSION;
}
