import type { HeaderFields } from '../../accept/request-head.ts';

const HTAB = 0x09;
const SPACE = 0x20;

/** `HTTP/1.1 200 `: where the parts of a status line stand. */
const MINOR_VERSION_AT = 7;
const STATUS_AT = 9;
const STATUS_END = 12;

export interface AnswerHead {
  readonly status: number;
  readonly isHttp10: boolean;
  /** Names in lower case, values without the white space around them, octet by octet. */
  readonly headers: HeaderFields;
}

/**
 * Takes the head of an answer apart (RFC 9112, 4 and 5).
 *
 * @param text one character for each octet (latin1), the whole head with its empty line, which a
 *   `HeadScanner` has found free of faults
 */
export function parseHead(text: string): AnswerHead {
  const headers: HeaderFields = [];
  let lineStart = text.indexOf('\r\n') + 2;
  const lastLine = text.length - 2;
  while (lineStart < lastLine) {
    const colon = text.indexOf(':', lineStart);
    const lineEnd = text.indexOf('\r\n', colon);
    let valueStart = colon + 1;
    let valueEnd = lineEnd;
    while (valueStart < valueEnd && isBlank(text.charCodeAt(valueStart))) valueStart += 1;
    while (valueStart < valueEnd && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd -= 1;
    headers.push(
      text.slice(lineStart, colon).toLowerCase(),
      valueStart === valueEnd ? '' : text.slice(valueStart, valueEnd),
    );
    lineStart = lineEnd + 2;
  }
  return {
    status: Number(text.slice(STATUS_AT, STATUS_END)),
    isHttp10: text.charAt(MINOR_VERSION_AT) === '0',
    headers,
  };
}

function isBlank(code: number): boolean {
  return code === SPACE || code === HTAB;
}
