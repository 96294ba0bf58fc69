import type { ListenerPlan, PortPlan, RulePlan } from '../plan.ts';
import type { LinkedListener } from './link/gateways.ts';

/**
 * Puts the listeners that share a socket address together; linking made sure that they share its protocol.
 * A listener of a Gateway with several addresses stands at each of them.
 */
export function groupByPort(
  listeners: readonly LinkedListener[],
  rulesOn: (listener: LinkedListener) => readonly RulePlan[],
): readonly PortPlan[] {
  const ports = new Map<string, PortPlan & { readonly listeners: ListenerPlan[] }>();
  for (const listener of listeners) {
    const plan: ListenerPlan = {
      gateway: `${listener.gateway.namespace}/${listener.gateway.name}`,
      name: listener.name,
      hostname: listener.hostname,
      tls: listener.tls,
      rules: rulesOn(listener),
    };
    for (const address of listener.addresses) {
      const { port, protocol } = listener;
      const key = `${address ?? ''} ${port}`;
      const present = ports.get(key);
      if (present === undefined) ports.set(key, { address, port, protocol, listeners: [plan] });
      else present.listeners.push(plan);
    }
  }
  return [...ports.values()];
}
