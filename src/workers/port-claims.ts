import type { PortPlan } from '../plan.ts';
import { claimPort, type PortClaim } from './claim-port.ts';

/** The ports that this process has made its own, kept in step with the plan. */
export interface PortClaims {
  /**
   * Claims the ports that are not claimed yet; those of the plan before are kept until `settle`.
   *
   * @returns the first failure; then nothing has changed
   */
  claim(ports: readonly PortPlan[]): Promise<Error | null>;
  /** Lets go of every port that is not among these. */
  settle(ports: readonly PortPlan[]): void;
}

/**
 * @param defaultAddress where ports without an address of their own listen
 */
export function createPortClaims(defaultAddress: string): PortClaims {
  const claims = new Map<string, PortClaim>();
  const keyOf = ({ address, port }: PortPlan): string => `${address ?? defaultAddress}|${port}`;
  return {
    async claim(ports) {
      const made: string[] = [];
      for (const plan of ports) {
        const key = keyOf(plan);
        if (claims.has(key)) continue;
        const claim = await claimPort(plan.address ?? defaultAddress, plan.port);
        if (claim instanceof Error) {
          release(made);
          return claim;
        }
        claims.set(key, claim);
        made.push(key);
      }
      return null;
    },
    settle(ports) {
      const wanted = new Set(ports.map(keyOf));
      release([...claims.keys()].filter((key) => !wanted.has(key)));
    },
  };

  function release(keys: readonly string[]): void {
    for (const key of keys) {
      claims.get(key)?.release();
      claims.delete(key);
    }
  }
}
