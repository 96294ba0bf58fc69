import type { McpCall } from '../authorize/mcp-call.ts';
import type { McpRequest } from './message.ts';
import { canonicalTemplate } from './read-object.ts';

/**
 * What a request asks the policies of its backend, all of which must be allowed: one question for most methods,
 * one for each URI of `subscriptions/listen`, and two for a resource, or a template, whose URI servers may read in
 * another spelling.
 *
 * @param target the name of the target that the request goes to
 * @returns `null` where the request names nothing that a rule could decide on
 */
export function callsOf(request: McpRequest, target: string): readonly McpCall[] | null {
  const { object, method } = request;
  switch (object?.type) {
    case 'tool':
      if (method !== 'tools/call') return null;
      return [call(request, target, method, 'tool', object.name, object.arguments, null)];
    case 'prompt':
      if (method !== 'prompts/get') return null;
      return [call(request, target, method, 'prompt', object.name, object.arguments, null)];
    case 'resource': {
      if (
        method !== 'resources/read' &&
        method !== 'resources/subscribe' &&
        method !== 'resources/unsubscribe'
      ) {
        return null;
      }
      const uris = new Set([object.uri, object.canonicalUri]);
      return [...uris].map((uri) => call(request, target, method, 'resource', uri, null, null));
    }
    case 'resources':
      if (method !== 'subscriptions/listen') return null;
      return object.uris.map((uri) => call(request, target, method, 'resource', uri, null, null));
    case 'completion': {
      if (method !== 'completion/complete') return null;
      const { ref, argument } = object;
      if (ref.type === 'prompt') {
        return [call(request, target, method, 'prompt', ref.name, null, argument)];
      }
      const templates = new Set([ref.uri, canonicalTemplate(ref.uri)]);
      return [...templates].map((uri) =>
        call(request, target, method, 'resource', uri, null, argument),
      );
    }
    case 'task':
    case undefined:
      return null;
  }
}

/** Every member by its name: to copy them from a base object took as long as parsing the body. */
function call(
  { protocolVersion }: McpRequest,
  target: string,
  method: McpCall['method'],
  kind: McpCall['kind'],
  name: string,
  given: McpCall['arguments'],
  completion: McpCall['completion'],
): McpCall {
  return { kind, name, target, protocolVersion, method, arguments: given, completion };
}
