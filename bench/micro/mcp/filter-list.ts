/**
 * What it takes to filter a list of 100 tools by a rule whose decisions are remembered, with the items for the rules
 * written out (as `src/mcp/filter-answer.ts` has them) and spread from where they were located.
 */
import type { McpItem } from '../../../src/authorize/mcp-call.ts';
import { filterMessage, type MessageContext } from '../../../src/mcp/filter-message.ts';
import { listAnswer } from '../../messages.ts';
import { measure } from '../measure.ts';
import { toolAuthorizer, toolCaller } from '../subjects.ts';

const list = Buffer.from(listAnswer(100));
const target = 'mcp';
const protocolVersion = null;

function contextOf(itemOf: (name: string) => McpItem): MessageContext {
  return {
    expected: { id: 1, kind: 'tools' },
    era: 'legacy',
    isVisible: (_kind, name) => toolAuthorizer.decideListed(toolCaller, itemOf(name)).allowed,
  };
}

const writtenOut = contextOf((name) => ({ kind: 'tool', name, target, protocolVersion }));
const spread = contextOf((name) => {
  const at = { target, name };
  return { ...at, kind: 'tool', protocolVersion };
});

measure([
  { name: 'list of 100: items written out', run: () => filterMessage(list, writtenOut) },
  { name: 'list of 100: items spread', run: () => filterMessage(list, spread) },
]);
