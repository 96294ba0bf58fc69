/**
 * What a denied object is called towards its upstream, so that the upstream itself answers as it does where there
 * is no such object (on-deny `hide`).
 *
 * A hidden name has a mark, a letter for what it names, its length, and the name sealed for owner and backend:
 * nothing at the upstream is called that, and wherever it comes back, on the answer or on another stream, through
 * this replica or another, the gate knows what the client called it. The same name is hidden the same way each
 * time, so that an upstream that keeps names (subscriptions) keeps one.
 *
 *     postern- | n (name) or u (URI) | 3 digits of base 36: length of what follows | sealed name
 *
 * Before that of a URI stand the client's scheme and, where the URI has one, another authority.
 */

import { parseUrl } from '../parse-url.ts';
import { encodeNameHeader } from './name-header.ts';
import { createOctetFinder } from './octet-finder.ts';
import { canonicalUri } from './read-object.ts';
import type { SealBinding } from './seal-binding.ts';
import { maxSealedLength, type Sealer } from './seal.ts';
import { splice, type Edit } from './splice.ts';

const MARK = 'postern-';
const findMark = createOctetFinder(MARK);
const LENGTH_DIGITS = 3;
const LENGTH = /^[0-9a-z]{3}$/;
/** Marks with a lawful length, in one message: more of them are no answer to one call, and opening them takes time. */
const MAX_OPENED = 64;

/** Where names stand: in a string of JSON, in a text, or in the value of a header field. */
export type NamePlace = 'json' | 'text' | 'field';

/**
 * Hides the name of a tool or prompt.
 *
 * @returns letters, digits, `-` and `_`; `null` where the name is empty or too long to be sealed
 */
export function hideName(sealer: Sealer, binding: SealBinding, name: string): string | null {
  return hide(sealer, binding, 'n', name);
}

/**
 * Hides a URI or a URI template. What is a URI to the WHATWG standard stays one, in its canonical form if it
 * was in it, and in another if it was not: a server answers with either.
 */
export function hideUri(sealer: Sealer, binding: SealBinding, uri: string): string | null {
  const hidden = hide(sealer, binding, 'u', uri);
  return hidden === null ? null : prefixesOf(uri).asSent + hidden;
}

/** A name that was hidden. */
export interface HiddenName {
  /** From the mark on. */
  readonly alias: string;
  /** What the upstream would have been told. */
  readonly name: string;
}

/** @param hidden what {@link hideName} or {@link hideUri} made of a name, also with something in front */
export function hiddenNameOf(hidden: string, name: string): HiddenName {
  return { alias: hidden.slice(Math.max(0, hidden.lastIndexOf(MARK))), name };
}

/**
 * Puts the client's own names back in place of the hidden ones.
 *
 * They are found as they were sent; for other spellings there is `createSpellingTest`.
 *
 * @param octets of a message, of a block of an event stream, or of a header field's value
 * @param known one that needs not be opened, which takes time
 * @returns the same memory where there is none; `null` for more names than one message is searched for
 */
export function restoreNames(
  sealer: Sealer,
  binding: SealBinding,
  octets: Buffer,
  place: NamePlace,
  known: HiddenName | null = null,
): Buffer | null {
  let at = findMark(octets);
  if (at < 0) return octets;
  const edits: Edit[] = [];
  let opened = 0;
  while (at >= 0) {
    const hidden = hiddenAt(octets, at);
    let edit: Edit | null = null;
    if (hidden !== null) {
      opened += 1;
      if (opened > MAX_OPENED) return null;
      const isKnown = known !== null && known.alias === octets.toString('latin1', at, hidden.end);
      const { owner, backend } = binding;
      const name = isKnown
        ? known.name
        : sealer.openLasting('name', { owner, backend }, hidden.sealed);
      if (name !== null) edit = restoreAt(octets, hidden, name, place);
    }
    if (edit !== null) edits.push(edit);
    at = findMark(octets, edit?.end ?? at + MARK.length);
  }
  return edits.length === 0 ? octets : splice(octets, edits);
}

function hide(
  sealer: Sealer,
  { owner, backend }: SealBinding,
  letter: 'n' | 'u',
  name: string,
): string | null {
  const sealed = sealer.sealLasting('name', { owner, backend }, name);
  if (sealed === null) return null;
  return MARK + letter + sealed.length.toString(36).padStart(LENGTH_DIGITS, '0') + sealed;
}

interface MarkedName {
  readonly start: number;
  readonly end: number;
  readonly isUri: boolean;
  readonly sealed: string;
}

/** What has the form of a hidden name; `null` for a mark that nothing of the kind follows. */
function hiddenAt(octets: Buffer, start: number): MarkedName | null {
  const lengthAt = start + MARK.length + 1;
  const sealedAt = lengthAt + LENGTH_DIGITS;
  const letter = octets.toString('latin1', lengthAt - 1, lengthAt);
  const digits = octets.toString('latin1', lengthAt, sealedAt);
  if ((letter !== 'n' && letter !== 'u') || !LENGTH.test(digits)) return null;
  const length = parseInt(digits, 36);
  const end = sealedAt + length;
  if (length > maxSealedLength || end > octets.length) return null;
  return { start, end, isUri: letter === 'u', sealed: octets.toString('latin1', sealedAt, end) };
}

function restoreAt(
  octets: Buffer,
  { start, end, isUri }: MarkedName,
  name: string,
  place: NamePlace,
): Edit {
  if (isUri) {
    const { asSent, canonical } = prefixesOf(name);
    for (const [prefix, uri] of [
      [canonical, canonicalUri(name)],
      [asSent, name],
    ] as const) {
      // Some writers of JSON escape the slash.
      for (const spelling of [prefix, prefix.replaceAll('/', '\\/')]) {
        const prefixAt = start - spelling.length;
        if (prefixAt >= 0 && octets.toString('latin1', prefixAt, start) === spelling) {
          return { start: prefixAt, end, text: written(uri, place) };
        }
      }
    }
  }
  return { start, end, text: written(name, place) };
}

function written(name: string, place: NamePlace): string {
  if (place === 'json') return JSON.stringify(name).slice(1, -1);
  return place === 'field' ? encodeNameHeader(name) : name;
}

/**
 * What stands before the mark of a hidden URI: scheme and authority, as the client sends them and as a server writes
 * them that brings URIs into their canonical form.
 */
function prefixesOf(uri: string): { readonly asSent: string; readonly canonical: string } {
  const url = parseUrl(uri);
  if (url === null) return { asSent: '', canonical: '' };
  const { href, protocol } = url;
  const rest = href.slice(protocol.length);
  const authority = rest.startsWith('///') ? '///' : rest.startsWith('//') ? '//x/' : '';
  const canonical = protocol + authority;
  // Schemes are written in lower case in the canonical form (WHATWG URL, 4.4).
  const asSent = uri === href ? canonical : canonical.charAt(0).toUpperCase() + canonical.slice(1);
  return { asSent, canonical };
}
