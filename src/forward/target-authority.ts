import type { TargetPlan } from '../plan.ts';

/** Host and port as a Host header has them (RFC 9110, 7.2): without the scheme's own port. */
export function targetAuthority({ host, port, tls }: TargetPlan): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === (tls === null ? 80 : 443) ? name : `${name}:${port}`;
}
