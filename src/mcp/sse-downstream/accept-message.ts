import type { HeaderFields } from '../../accept/request-head.ts';
import type { Exchange } from '../../exchange.ts';
import type { Upstream, UpstreamCall, UpstreamRequest } from '../../forward/upstream.ts';

const ACCEPTED = Buffer.from('Accepted');
const OVER: UpstreamCall = { abort: () => undefined, resume: () => undefined };

function acceptedFields(): HeaderFields {
  return ['content-type', 'text/plain', 'content-length', String(ACCEPTED.length)];
}

/** Answers a POST whose outcome goes to the stream: 202, as the servers of HTTP+SSE do. */
export function sendAccepted(exchange: Exchange): void {
  const headers = ['content-type', 'text/plain'];
  const cors = exchange.rule?.cors;
  if (cors != null) headers.push(...cors.responseHeaders(exchange.head));
  exchange.status = 202;
  exchange.responder.send(202, headers, ACCEPTED);
}

/**
 * An upstream that takes the request to another one and answers with 202 at once, so that the answer runs through
 * the last stage as every other.
 *
 * @param send takes the request as the last stage has made it
 */
export function acceptingUpstream(
  { backendName, targetName, path, authority }: Upstream,
  send: (request: UpstreamRequest) => void,
): Upstream {
  return {
    backendName,
    targetName,
    path,
    authority,
    request(request, answer) {
      send(request);
      answer.onHead(202, acceptedFields());
      answer.onData(ACCEPTED);
      answer.onEnd();
      return OVER;
    },
    close: () => undefined,
  };
}
