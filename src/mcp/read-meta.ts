import { isJsonObject } from '../json/read-json.ts';
import { invalidParams, type MessageFault } from './fault.ts';
import { otherSpellingOf } from './member-spelling.ts';
import type { RequestId } from './message.ts';
import { CLIENT_CAPABILITIES, isModernVersion, PROTOCOL_VERSION } from './protocol-version.ts';
import { RELATED_TASK } from './seal-task-ids.ts';

const VERSION = /^[!-~]{1,64}$/;

const hasOtherSpellingInMeta = otherSpellingOf([
  PROTOCOL_VERSION,
  CLIENT_CAPABILITIES,
  RELATED_TASK,
]);
const hasOtherSpellingInRelated = otherSpellingOf(['taskId']);

/**
 * Reads `params._meta`, and takes only what every server must read in the same way.
 *
 * @param meta `undefined` where there is none
 * @param id `null` for a notification
 * @returns the version that the message claims there, or `null` for a legacy message
 */
export function readProtocolVersion(
  method: string,
  meta: unknown,
  id: RequestId | null,
): string | MessageFault | null {
  if (meta === undefined) return null;
  if (!isJsonObject(meta)) return invalidParams('_meta is not an object', id);
  if (hasOtherSpellingInMeta(meta)) {
    return invalidParams('a member of _meta differs from a known one in case alone', id);
  }
  const related = meta[RELATED_TASK];
  if (related !== undefined && (!isJsonObject(related) || hasOtherSpellingInRelated(related))) {
    return invalidParams('the related task in _meta is not an object of a lawful form', id);
  }
  const version = meta[PROTOCOL_VERSION];
  if (version === undefined) return null;
  if (typeof version !== 'string' || !VERSION.test(version)) {
    return invalidParams('the protocol version in _meta is not a string of a lawful form', id);
  }
  // Servers disagree on the era of such a message; no client sends it.
  if (method === 'initialize' && !isModernVersion(version)) {
    return invalidParams('initialize with a legacy version in _meta', id);
  }
  if (id !== null && !isJsonObject(meta[CLIENT_CAPABILITIES])) {
    return invalidParams('_meta has no object of client capabilities', id);
  }
  return version;
}
