import { isJsonObject } from '../json/read-json.ts';
import { cutItems } from './cut-items.ts';
import { expandTemplate } from './expand-template.ts';
import { findValues, type ValueTree } from './find-values.ts';
import { stringAt } from './json-octets.ts';
import type { IsVisible } from './list-kind.ts';
import type { McpRequest } from './message.ts';
import { splice, type Edit } from './splice.ts';

/** Whether a value that would complete an argument leads to nothing that the caller may not see. */
export type IsCompletionVisible = (value: string) => boolean;

const COMPLETION: ValueTree = {
  members: {
    result: {
      members: {
        completion: {
          members: { values: { items: { label: 'value' } }, total: { label: 'total' } },
        },
      },
    },
  },
};

/**
 * What a caller may see of the values that complete an argument: a value that is a URI itself is hidden where that
 * resource is, any other where it makes the URI of a hidden resource of the template that is completed. Where the
 * template can't be expanded, because another variable has no value yet or for its expressions, and for a prompt's
 * argument, the value tells of no one resource and stays.
 *
 * @returns `null` for every other request
 */
export function completionVisibility(
  request: McpRequest,
  isVisible: IsVisible,
): IsCompletionVisible | null {
  const { object } = request;
  if (object?.type !== 'completion') return null;
  const { params } = request;
  const { ref, argument } = object;
  const template = ref.type === 'resource' ? ref.uri : null;
  const context = isJsonObject(params.context) ? params.context.arguments : undefined;
  const known = isJsonObject(context) ? context : {};
  return (value) => {
    if (value.includes('://')) return isVisible('resources', value);
    if (template === null) return true;
    const uri = expandTemplate(template, (variable) => {
      if (variable === argument.name) return value;
      const given = Object.hasOwn(known, variable) ? known[variable] : undefined;
      return typeof given === 'string' ? given : undefined;
    });
    return uri === null || isVisible('resources', uri);
  };
}

/**
 * Takes the values that are not visible out of the answer to `completion/complete`. All else stays octet by octet,
 * but `total`, which might count hidden ones, here or among those that did not fit: it becomes the number of the
 * values that are shown.
 *
 * @param message JSON
 * @returns the same memory if nothing changes; `null` where a member occurs twice, so that two readers could see
 *   different values
 */
export function filterCompletion(message: Buffer, isVisible: IsCompletionVisible): Buffer | null {
  const found = findValues(message, COMPLETION);
  if (typeof found === 'number') return null;
  const values = found.filter(({ label }) => label === 'value');
  const hidden = values.map(({ start, end }) => {
    const value = stringAt(message, start, end);
    return value === null || !isVisible(value);
  });
  const edits: Edit[] = [];
  cutItems(
    hidden,
    values.map(({ start }) => start),
    values.map(({ end }) => end),
    edits,
  );
  const kept = String(hidden.filter((isHidden) => !isHidden).length);
  for (const { label, start, end } of found) {
    if (label === 'total' && message.toString('latin1', start, end) !== kept) {
      edits.push({ start, end, text: kept });
    }
  }
  return edits.length === 0 ? message : splice(message, edits);
}
