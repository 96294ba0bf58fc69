import { anything, ignored, object, string, type Typed } from './schema.ts';

/** GatewayClass (gateway.networking.k8s.io/v1): accepted; any controllerName is ours. */
export const gatewayClassSpec = object(
  { controllerName: string({ minLength: 1, maxLength: 253 }) },
  { description: anything(), parametersRef: ignored() },
);
export type GatewayClassSpec = Typed<typeof gatewayClassSpec>;
