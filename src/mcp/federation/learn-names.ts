import type { McpMessage } from '../message.ts';
import { fanOut } from './fan-out.ts';
import type { FederatedCall, TargetSessions } from './federated-call.ts';
import { failsWhole, type FederationParts } from './federation-parts.ts';
import { mergedLists, type MergedList } from './merge-lists.ts';
import type { ListedNames, ListMember, NameIndex } from './name-index.ts';
import { namePrefix } from './names.ts';
import { nameOf, objectKindOf } from './object-kind.ts';
import { readPages, type TargetPages } from './read-pages.ts';

/** The lists that have to be asked before it is known who has what a message names. */
export function listsToLearn(
  names: NameIndex,
  owner: FederatedCall['base']['owner'],
  message: McpMessage,
): readonly ListMember[] {
  if (message.kind !== 'request' || message.object === null) return [];
  const { object } = message;
  const kind = objectKindOf(message);
  if (object.type === 'resources') {
    return [...new Set(object.uris.flatMap((uri) => names.missing(owner, kind, uri)))];
  }
  const name = nameOf(object);
  return name === null ? [] : names.missing(owner, kind, name);
}

/** Asks all targets for these lists. With FailClosed nothing is learned where one fails: it might have come first. */
export async function learnNames(
  parts: FederationParts,
  sessions: TargetSessions,
  call: FederatedCall,
  names: NameIndex,
  lists: readonly ListMember[],
): Promise<void> {
  for (const [method, list] of mergedLists) {
    const { member } = list;
    if (member === 'tasks' || !lists.includes(member)) continue;
    const read = await fanOut(parts.targets, (upstream) =>
      readPages(parts, sessions, call, upstream, method, list, null),
    );
    if (call.scope.isOver) return;
    const failures = read.flatMap(({ target, failure }) =>
      failure === null ? [] : [{ target, reason: failure }],
    );
    const fails = failsWhole(parts, call, failures, parts.targets.length);
    const isWhole = failures.length === 0 && read.every(({ nextCursor }) => nextCursor === null);
    names.learn(call.base.owner, member, fails ? [] : read.map(listedNames), isWhole);
    tellTools(parts, member, read);
  }
}

/** Tells what tools there are, as clients call them. */
export function tellTools(
  parts: FederationParts,
  member: MergedList['member'],
  read: readonly TargetPages[],
): void {
  if (member !== 'tools') return;
  for (const pages of read) {
    const { target, names } = listedNames(pages);
    const prefix = parts.isPrefixed ? namePrefix('tool', target) : '';
    if (names.length > 0) {
      parts.onTools(
        parts.backend,
        target,
        names.map((name) => prefix + name),
      );
    }
  }
}

/** What one target was found to have. */
export function listedNames({ target, pages }: TargetPages): ListedNames {
  return { target, names: pages.flatMap(({ page }) => page.items.map(({ name }) => name)) };
}
