import type { RequestHead } from '../accept/request-head.ts';
import type { FilterPlan } from '../plan.ts';
import type { Redirect } from './filters.ts';
import { compilePathModifier } from './path-modifier.ts';

const wellKnownPorts = { http: 80, https: 443 } as const;

/** At the end of a Host header that has been checked. */
const PORT = /:([0-9]{1,5})$/;

/** What may stand in a query as it is (visible ASCII without `#`). */
const QUERY = /^[\x21\x22\x24-\x7e]*$/;

/**
 * Prepares a RequestRedirect (Gateway API, HTTPRequestRedirectFilter). Location is always an absolute URL:
 * scheme and hostname are the filter's or else the request's, the path is the filter's or else the
 * request's, the query is kept.
 *
 * The port is the filter's; else, where the filter names a scheme, that scheme's own; else the one of the
 * Host header, which is the listener's as the client knows it (also behind a port mapping). A scheme's own
 * port (80, 443) is left out.
 *
 * A query with characters that a URL can't carry is left out, so that nothing in a request can end the
 * header field.
 */
export function compileRedirect(
  plan: Extract<FilterPlan, { type: 'RequestRedirect' }>,
): (head: RequestHead, matchedPrefixLength: number) => Redirect {
  const modifyPath = plan.path === null ? null : compilePathModifier(plan.path);
  return (head, matchedPrefixLength) => {
    const scheme = plan.scheme ?? head.scheme;
    const port = plan.port ?? (plan.scheme === null ? requestPort(head) : null);
    const portText = port === null || port === wellKnownPorts[scheme] ? '' : `:${port}`;
    const path = modifyPath === null ? head.path : modifyPath(head.path, matchedPrefixLength);
    const query = head.query !== null && QUERY.test(head.query) ? `?${head.query}` : '';
    return {
      status: plan.statusCode,
      location: `${scheme}://${plan.hostname ?? head.host}${portText}${path}${query}`,
    };
  };
}

function requestPort({ authority }: RequestHead): number | null {
  const [, digits] = PORT.exec(authority) ?? [];
  return digits === undefined ? null : Number(digits);
}
