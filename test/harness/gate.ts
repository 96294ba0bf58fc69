import { freePort } from './free-port.ts';
import { startPostern, type Postern, type PosternOptions } from './postern.ts';
import { gateway, mcpBackend, route, yaml, type Resource } from './resources.ts';
import type { Scope } from './scope.ts';

export interface Gate extends Postern {
  /** Where clients connect. */
  readonly port: number;
  /** The resources of the gate with others added, for {@link Postern.reload}. */
  resources(...more: readonly Resource[]): string;
}

export interface GateOptions extends Omit<PosternOptions, 'resources' | 'paths'> {
  readonly upstreamPort: number;
  /** Added to the Gateway, the Backend and the HTTPRoute; replaces the one of the same kind and name. */
  readonly more?: readonly Resource[];
}

/** The usual gate of a test: one HTTP listener, and `/mcp` leads to an MCP server on this machine. */
export async function startGate(scope: Scope, options: GateOptions): Promise<Gate> {
  const { upstreamPort, more = [], ...rest } = options;
  const port = await freePort();
  const base = [gateway({ port }), mcpBackend({ port: upstreamPort }), route()];
  const resources = (...others: readonly Resource[]) => yaml(...replace(base, others));
  const postern = await startPostern(scope, { ...rest, resources: resources(...more) });
  return { ...postern, port, resources };
}

function replace(base: readonly Resource[], more: readonly Resource[]): readonly Resource[] {
  const identity = ({ kind, metadata }: Resource) => JSON.stringify([kind, metadata]);
  const replaced = new Set(more.map(identity));
  return [...base.filter((resource) => !replaced.has(identity(resource))), ...more];
}
