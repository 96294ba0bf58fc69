import type { RememberedToken } from './authenticate/remembered-token.ts';
import type { RememberedRequest } from './forward/remembered-request.ts';
import type { RememberedSession } from './mcp/session.ts';

/**
 * What stages have found out about a head, for the next request with the same one: clients send the same head
 * again and again. A finding holds whatever it depends on besides the head, and is of use only while that is the same.
 *
 * Nothing in here may depend on `Content-Length`, which is no part of what makes two heads the same.
 */
export class HeadFindings {
  /** Of `authenticate`: the token in it. */
  token: RememberedToken | null = null;
  /** Of `mcp`: the session that it names. */
  session: RememberedSession | null = null;
  /** Of `forward`: the request that went upstream. */
  request: RememberedRequest | null = null;
}
