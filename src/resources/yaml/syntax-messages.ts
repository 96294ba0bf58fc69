/**
 * What a YAML error means, in our own words: the library's messages quote the source, which may be a secret.
 */

import type { ErrorCode } from 'yaml';

const messages: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias must not have an anchor or a tag',
  BAD_ALIAS: 'an anchor or alias must have a name of letters, digits and "-"',
  BAD_COLLECTION_TYPE: 'the tag does not suit the value',
  BAD_DIRECTIVE: 'a YAML directive must be %YAML 1.2',
  BAD_DQ_ESCAPE: 'a double-quoted string holds an unknown escape sequence',
  BAD_INDENT: 'the indentation must match the surrounding fields',
  BAD_PROP_ORDER: 'an anchor or tag must stand before the value, after the indicator',
  BAD_SCALAR_START: 'a plain string must not start with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping must not start on the line of its key; check ":" and quotes',
  BLOCK_IN_FLOW: 'a block must not stand inside [ ] or { }',
  DUPLICATE_KEY: 'a field must not be given twice',
  IMPOSSIBLE: 'the text is not YAML',
  KEY_OVER_1024_CHARS: 'a field name must have at most 1024 characters',
  MISSING_CHAR: 'a closing bracket, quote, comma, ":" or space is missing',
  MULTILINE_IMPLICIT_KEY: 'a field name must stand on one line; check ":" and quotes',
  MULTIPLE_ANCHORS: 'a value must have at most one anchor',
  MULTIPLE_DOCS: 'documents must be separated by a line "---"',
  MULTIPLE_TAGS: 'a value must have at most one tag',
  NON_STRING_KEY: 'a field name must be a string',
  RESOURCE_EXHAUSTION: 'the text is nested too deeply',
  TAB_AS_INDENT: 'a tab must not be used to indent; use spaces',
  TAG_RESOLVE_FAILED: 'a tag such as !name must not be used',
  UNEXPECTED_TOKEN: 'this must not stand here; check indentation and quotes',
};

/** Takes the code of a YAML error and gives one sentence about it, prefixed with "is not valid YAML". */
export function syntaxMessage(code: ErrorCode): string {
  return `is not valid YAML: ${messages[code]}`;
}
