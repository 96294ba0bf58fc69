import type { HeaderFields } from '../../accept/request-head.ts';

/** What the head of an answer says (RFC 9112, 4 and 5). */
export interface AnswerHead {
  readonly status: number;
  readonly isHttp10: boolean;
  /** Names in lower case, values without the white space around them, octet by octet. */
  readonly headers: HeaderFields;
}
