import { foldCase } from '../json/fold-case.ts';
import type { JsonObject } from '../json/read-json.ts';

/**
 * Some servers find the members of an object without regard to case (Go's encoding/json, .NET, Jackson where
 * asked to), and take the last that fits: to them `{"name":"echo","Name":"secret"}` names `secret`. So a member
 * that differs from one that decides in nothing but case is refused, wherever it stands.
 */

/**
 * Makes a check for the members of one kind of object.
 *
 * @param members those that a decision or a server reads
 * @returns a function that tells whether an object has a member that is one of them but for its case
 */
export function otherSpellingOf(members: readonly string[]): (object: JsonObject) => boolean {
  const exact = new Set(members);
  const folded = new Set(members.map(foldCase));
  return (object) => {
    for (const name in object) {
      if (!exact.has(name) && folded.has(foldCase(name))) return true;
    }
    return false;
  };
}
