/** What is not a tool: prompts, resources, completions, subscriptions, lists. */
import { eras, headersFor, message, plain, type Era } from './messages.ts';
import { probe, type Field, type Prey, type Probe } from './probe.ts';

function asks(
  name: string,
  prey: Prey,
  era: Era,
  params = plain[prey].params,
  mirrored: string | null = plain[prey].name,
  method = plain[prey].method,
): Probe {
  const headers: Field[] = headersFor(era, method, mirrored);
  return probe(`${era}, ${name}`, prey, { body: message(era, method, params), headers });
}

const prompts: readonly (readonly [name: string, params: string])[] = [
  ['a prompt', '"name":"secret"'],
  ['a prompt, escaped', '"name":"\\u0073ecret"'],
  ['a prompt named twice', '"name":"greet","name":"secret"'],
  ['a prompt named twice, once escaped', '"name":"greet","\\u006eame":"secret"'],
  ['a prompt in another spelling', '"name":"greet","Name":"secret"'],
  ['a prompt of a prototype', '"name":"greet","__proto__":{"name":"secret"}'],
  ['a prompt with arguments', '"name":"secret","arguments":{"name":"greet"}'],
  ['a prompt with arguments that are an array', '"name":"secret","arguments":[]'],
  ['a prompt behind a URI', '"uri":"test://open","name":"secret"'],
];

const uris: readonly (readonly [name: string, text: string])[] = [
  ['plainly', '"test://secret/x"'],
  ['with escaped solidi', '"test:\\/\\/secret\\/x"'],
  ['with an escaped letter', '"test://\\u0073ecret/x"'],
  ['with a scheme in capitals', '"TEST://secret/x"'],
  ['with a host in capitals', '"test://SECRET/x"'],
  ['with a path that goes nowhere', '"test://secret/./x"'],
  ['with a path that goes up and down', '"test://secret/a/../x"'],
  ['with a path that goes up in disguise', '"test://secret/a/%2e%2e/x"'],
  ['behind a space', '" test://secret/x"'],
  ['before a space', '"test://secret/x "'],
  ['with a tab within', '"test://sec\\tret/x"'],
  ['with a line end within', '"te\\nst://secret/x"'],
  ['behind a control character', '"\\u0001test://secret/x"'],
  ['before a NUL', '"test://secret/x\\u0000"'],
  ['with backslashes', '"test:\\\\\\\\secret\\\\x"'],
  ['with a percent sign', '"test://%73ecret/x"'],
  ['with a percent sign in the path', '"test://secret/%78"'],
  ['with an empty query', '"test://secret/x?"'],
  ['with a query', '"test://secret/x?open"'],
  ['with an empty fragment', '"test://secret/x#"'],
  ['with a user', '"test://open@secret/x"'],
  ['with an empty port', '"test://secret:/x"'],
  ['with one solidus', '"test:/secret/x"'],
  ['with three solidi', '"test:///secret/x"'],
  ['with two solidi in the path', '"test://secret//x"'],
  ['by its template', '"test://secret/{id}"'],
  ['by a template', '"test://secret/anything"'],
  ['by a template, up and down', '"test://open/../../secret/x"'],
  ['by a template, from the open one', '"test://open/..%2f..%2fsecret"'],
  ['in an array', '["test://secret/x"]'],
  ['in an object', '{"href":"test://secret/x"}'],
  ['without a scheme', '"//secret/x"'],
  ['with a zero-width space', '"test://sec\\u200bret/x"'],
  ['in full-width letters', '"test://\\uff53ecret/x"'],
  ['in half a pair', '"test://secret/\\ud800"'],
  ['twice', '"test://open","uri":"test://secret/x"'],
  ['twice, once escaped', '"test://open","\\u0075ri":"test://secret/x"'],
  ['twice, in another spelling', '"test://open","URI":"test://secret/x"'],
  ['beside a name', '"test://secret/x","name":"test://open"'],
];

const argument = '"argument":{"name":"a","value":"b"}';
const completions: readonly (readonly [name: string, params: string])[] = [
  ['of a prompt', `"ref":{"type":"ref/prompt","name":"secret"},${argument}`],
  ['of a prompt, escaped', `"ref":{"type":"ref\\/prompt","name":"\\u0073ecret"},${argument}`],
  ['of a template', `"ref":{"type":"ref/resource","uri":"test://secret/{id}"},${argument}`],
  ['of a resource', `"ref":{"type":"ref/resource","uri":"test://secret/x"},${argument}`],
  ['of a resource in capitals', `"ref":{"type":"ref/resource","uri":"TEST://secret/{id}"},${argument}`],
  ['of two prompts', `"ref":{"type":"ref/prompt","name":"greet","name":"secret"},${argument}`],
  ['of two references', `"ref":{"type":"ref/prompt","name":"greet"},"ref":{"type":"ref/prompt","name":"secret"},${argument}`],
  ['of a prompt that is a resource too', `"ref":{"type":"ref/prompt","name":"greet","uri":"test://secret/{id}"},${argument}`],
  ['of a resource that is a prompt too', `"ref":{"type":"ref/resource","uri":"test://open/{id}","name":"secret"},${argument}`],
  ['of two types', `"ref":{"type":"ref/prompt","type":"ref/resource","name":"greet","uri":"test://secret/{id}"},${argument}`],
  ['of a prompt in another spelling', `"ref":{"type":"ref/prompt","name":"greet","NAME":"secret"},${argument}`],
  ['of a type that nobody knows', `"ref":{"type":"ref/tool","name":"secret"},${argument}`],
  ['of a type in capitals', `"ref":{"type":"Ref/Prompt","name":"secret"},${argument}`],
  ['with context', `"ref":{"type":"ref/prompt","name":"secret"},${argument},"context":{"arguments":{"a":"b"}}`],
]; // prettier-ignore

const lists = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'] as const;
const listings: readonly (readonly [name: string, params: string])[] = [
  ['plainly', ''],
  ['from a cursor', '"cursor":"x"'],
  ['from an empty cursor', '"cursor":""'],
  ['with a progress token', '"_meta":{"progressToken":1}'],
  ['by name', '"name":"secret"'],
];
const listRequests = lists.flatMap((method) =>
  eras.flatMap((era) => [
    ...listings
      .filter(([, params]) => era === 'legacy' || !params.includes('_meta'))
      .map(([name, params]) => asks(`${method} ${name}`, 'list', era, params, null, method)),
    ...[
      ['as JSON alone', [['accept', 'application/json']]],
      ['as a stream alone', [['accept', 'text/event-stream']]],
      ['as anything', [['accept', '*/*']]],
      ['compressed', [['accept-encoding', 'gzip, deflate, br']]],
      ['in part', [['range', 'bytes=20-']]],
      ['if it has changed', [['if-none-match', '"x"']]],
    ].map(([name, headers]) =>
      probe(`${era}, ${method} ${String(name)}`, 'list', {
        body: message(era, method, ''),
        headers: [...headersFor(era, method, null), ...(headers as unknown as Field[])],
      }),
    ),
  ]),
);

const oddLists: readonly (readonly [name: string, body: string])[] = [
  ['a list in a batch', `[${message('legacy', 'tools/list', '')}]`],
  ['a list twice in a batch', `[${message('legacy', 'tools/list', '')},${message('legacy', 'prompts/list', '', '8')}]`],
  ['a list in capitals', message('legacy', 'TOOLS/LIST', '')],
  ['a list of an escaped method', message('legacy', 'tools/list', '').replace('tools/list', 'tools\\/l\\u0069st')],
  ['a list with another id', message('legacy', 'tools/list', '', '"tools"')],
  ['a list with its method twice', message('legacy', 'tools/list', '').replace('"method"', '"method":"ping","method"')],
  ['a list with an id that is null', message('legacy', 'tools/list', '', 'null')],
]; // prettier-ignore

const subscriptions: readonly Probe[] = [
  asks('a subscription', 'subscription', 'legacy'),
  asks('a subscription in another spelling', 'subscription', 'legacy', '"uri":"TEST://secret/x"'),
  asks('a subscription up and down', 'subscription', 'legacy', '"uri":"test://secret/a/../x"'),
  asks('a subscription named twice', 'subscription', 'legacy', '"uri":"test://open","uri":"test://secret/x"'), // prettier-ignore
  asks('a subscription', 'subscription', 'modern'),
  ...[
    ['to one resource', '["test://secret/x"]'],
    ['to one resource in another spelling', '["TEST://secret/x"]'],
    ['to two resources', '["test://open","test://secret/x"]'],
    ['to a string', '"test://secret/x"'],
    ['to an object', '{"0":"test://secret/x","length":1}'],
    ['to two lists', '["test://open"],"resourceSubscriptions":["test://secret/x"]'],
  ].map(([name = '', uris = '']) =>
    asks(
      `listening ${name}`,
      'subscription',
      'modern',
      `"notifications":{"resourceSubscriptions":${uris}}`,
      null,
      'subscriptions/listen',
    ),
  ),
];

/** A request that expects no answer could still be carried out. */
const notifications: readonly Probe[] = (
  ['tool', 'prompt', 'resource', 'completion', 'subscription'] as const
).flatMap((prey) =>
  eras.map((era) =>
    probe(`${era}, ${plain[prey].method} as a notification`, prey, {
      body: message(era, plain[prey].method, plain[prey].params).replace('"id":7,', ''),
      headers: headersFor(era, plain[prey].method, plain[prey].name),
    }),
  ),
);

const unknown: readonly Probe[] = eras.flatMap((era) =>
  [
    'tools/execute',
    'tools/invoke',
    'tool/call',
    'tasks/list',
    'sampling/createMessage',
    'elicitation/create',
    'roots/list',
    'rpc.discover',
    'notifications/tools/call',
    'constructor',
    '__proto__',
    'toString',
  ].map((method) =>
    asks(`by the method ${method}`, 'tool', era, '"name":"secret"', 'secret', method),
  ),
);

export const otherObjects: readonly Probe[] = [
  ...eras.flatMap((era) => [
    ...prompts.map(([name, params]) => asks(name, 'prompt', era, params)),
    ...uris.map(([name, text]) =>
      asks(`a resource named ${name}`, 'resource', era, `"uri":${text}`),
    ),
    ...completions.map(([name, params]) =>
      asks(`completion ${name}`, 'completion', era, params, null),
    ),
  ]),
  ...eras.map((era) =>
    asks('a prompt under the name of an allowed one', 'prompt', era, '"name":"secret"', 'greet'),
  ),
  ...eras.map(
    (era) =>
    asks('a resource under the URI of an allowed one', 'resource', era, '"uri":"test://secret/x"', 'test://open'), // prettier-ignore
  ),
  ...listRequests,
  ...oddLists.map(([name, body]) => probe(`legacy, ${name}`, 'list', { body })),
  ...subscriptions,
  ...notifications,
  ...unknown,
];
