import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { filterMessage, type MessageContext } from '../../src/mcp/filter-message.ts';
import { listKindOf, listKinds, namingMember, type ListKind } from '../../src/mcp/list-kind.ts';
import { jsonText, quoted, space } from './raw-json.ts';

const hidesSecret: MessageContext = {
  expected: { id: 1, kind: 'tools' },
  era: 'legacy',
  isVisible: (_kind, name) => !name.includes('secret'),
};

/** What comes out: the text, `same`, `dropped`, or the fault. */
function filter(text: string | Uint8Array, context: Partial<MessageContext> = {}): string {
  const verdict = filterMessage(Buffer.from(text), { ...hidesSecret, ...context });
  switch (verdict.action) {
    case 'pass':
      return 'same';
    case 'drop':
      return 'dropped';
    case 'replace':
      return verdict.message.toString();
    case 'fault':
      return `fault: ${verdict.fault}`;
  }
}

const tools = (list: string, rest = ''): string =>
  `{"result":{"tools":${list}${rest}},"jsonrpc":"2.0","id":1}`;

const cutTable: readonly (readonly [string, string, string])[] = [
  ['none', '[{"name":"a"},{"name":"b"}]', 'same'],
  ['of an empty list', '[ ]', 'same'],
  ['of a null list', 'null', 'same'],
  ['the first', '[ {"name":"secret"} , {"name":"b"} ]', '[ {"name":"b"} ]'],
  [
    'the middle one',
    '[{"name":"a"}, {"name":"secret"},\n{"name":"b"}]',
    '[{"name":"a"}, {"name":"b"}]',
  ],
  ['the last', '[{"name":"a"} , {"name":"secret"}\t]', '[{"name":"a"}\t]'],
  ['the only one', '[ {"name":"secret"} ]', '[  ]'],
  ['all', '[{"name":"secret"},{"name":"secret2"}]', '[]'],
  [
    'two in a row',
    '[{"name":"a"},{"name":"secret"},{"name":"secret2"},{"name":"b"}]',
    '[{"name":"a"},{"name":"b"}]',
  ],
  [
    'two apart',
    '[{"name":"secret"},{"name":"a"},{"name":"secret2"},{"name":"b"},{"name":"secret3"}]',
    '[{"name":"a"},{"name":"b"}]',
  ],
  [
    'by a name after large members',
    '[{"inputSchema":{"name":"a","x":[1,{"name":"b"}]},"name":"secret"}]',
    '[]',
  ],
  [
    'by a name with escapes',
    '[{"name":"\\u0073ecret"},{"name":"\\u0061"}]',
    '[{"name":"\\u0061"}]',
  ],
  [
    'by a member with escapes',
    '[{"\\u006eame":"secret"},{"n\\u0061me":"a"}]',
    '[{"n\\u0061me":"a"}]',
  ],
  ['without a name', '[{"title":"a"},{"name":"a"}]', '[{"name":"a"}]'],
  [
    'whose name is no string',
    '[{"name":1},{"name":null},{"name":["a"]},{"name":{}},{"name":"a"}]',
    '[{"name":"a"}]',
  ],
  [
    'whose name is half of a surrogate pair',
    '[{"name":"\\ud800"},{"name":"\\ud83d\\ude00"}]',
    '[{"name":"\\ud83d\\ude00"}]',
  ],
  ['that are no objects', '["a",1,null,[{"name":"a"}],{"name":"a"}]', '[{"name":"a"}]'],
  [
    'but keeps spellings',
    '[{"name":"a","n":1.50e+0,"u":"\\u0041\\/é"},{"name":"secret"}]',
    '[{"name":"a","n":1.50e+0,"u":"\\u0041\\/é"}]',
  ],
];

for (const [what, list, expected] of cutTable) {
  test(`takes out of a list what is hidden: ${what}`, () => {
    const rest = ',"nextCursor":"p2","_meta":{"x":1.0},"ttlMs":1';
    assert.equal(filter(tools(list, rest)), expected === 'same' ? 'same' : tools(expected, rest));
  });
}

for (const [method, kind, member] of [
  ['tools/list', 'tools', 'name'],
  ['prompts/list', 'prompts', 'name'],
  ['resources/list', 'resources', 'uri'],
  ['resources/templates/list', 'resourceTemplates', 'uriTemplate'],
] as const) {
  test(`${method} is filtered by ${member}`, () => {
    assert.equal(listKindOf(method), kind);
    const asked: string[] = [];
    const result = filter(
      `{"id":"x","result":{"${kind}":[{"name":"n","uri":"u","uriTemplate":"t"},{"${member}":"secret"}]}}`,
      {
        expected: { id: 'x', kind },
        isVisible: (asKind, name) => {
          asked.push(`${asKind} ${name}`);
          return name !== 'secret';
        },
      },
    );
    assert.deepEqual(asked, [
      `${kind} ${member === 'name' ? 'n' : member === 'uri' ? 'u' : 't'}`,
      `${kind} secret`,
    ]);
    assert.equal(
      result,
      `{"id":"x","result":{"${kind}":[{"name":"n","uri":"u","uriTemplate":"t"}]}}`,
    );
  });
}

test('the spelling of a method is its own', () => {
  for (const method of ['tools/List', 'tools/list ', 'constructor', '', '__proto__']) {
    assert.equal(listKindOf(method), null);
  }
});

const secretTools = '[{"name":"secret"}]';

const faultTable: readonly (readonly [string, string | Uint8Array, string])[] = [
  ['empty', '', 'not JSON'],
  ['not JSON', '<html>', 'not JSON'],
  ['cut short', tools('[{"name":"a"}').slice(0, 30), 'not JSON'],
  ['followed by more', `${tools('[]')} {}`, 'not JSON'],
  ['with a byte order mark', `\ufeff${tools('[]')}`, 'not JSON'],
  [
    'not UTF-8',
    Buffer.concat([Buffer.from('{"id":1,"x":"'), Buffer.of(0xff), Buffer.from('"}')]),
    'not UTF-8',
  ],
  [
    'a surrogate in UTF-8',
    Buffer.concat([Buffer.from('{"id":1,"x":"'), Buffer.of(0xed, 0xa0, 0x80), Buffer.from('"}')]),
    'not UTF-8',
  ],
  ['nested too deeply', `{"id":1,"x":${'['.repeat(300)}${']'.repeat(300)}}`, 'not JSON'],
  ['a batch', `[${tools('[]')}]`, 'a batch'],
  ['no message', '"tools"', 'not a JSON-RPC message'],
  ['of another number', tools('[]').replace('"id":1', '"id":2'), 'the answer to another request'],
  [
    'of a string for a number',
    tools('[]').replace('"id":1', '"id":"1"'),
    'the answer to another request',
  ],
  ['without an id', '{"result":{"tools":[]}}', 'the answer to another request'],
  [
    'with an object for an id',
    tools('[]').replace('"id":1', '"id":{}'),
    'the answer to another request',
  ],
  ['with two ids', tools('[]').replace('"id":1', '"id":1,"id":1'), 'a member occurs twice'],
  ['with two results', `{"id":1,"result":{"tools":[]},"result":{}}`, 'a member occurs twice'],
  [
    'with a second result under an escape',
    `{"id":1,"result":{},"\\u0072esult":{"tools":${secretTools}}}`,
    'a member occurs twice',
  ],
  [
    'with two lists',
    `{"id":1,"result":{"tools":[],"tools":${secretTools}}}`,
    'a member occurs twice',
  ],
  [
    'with a second list under an escape',
    `{"id":1,"result":{"tools":[],"t\\u006fols":${secretTools}}}`,
    'a member occurs twice',
  ],
  [
    'with two cache scopes',
    `{"id":1,"result":{"cacheScope":"private","cacheScope":"public"}}`,
    'a member occurs twice',
  ],
  ['an item with two names', tools('[{"name":"a","name":"secret"}]'), 'a member occurs twice'],
  [
    'an item with a second name under an escape',
    tools('[{"name":"a","nam\\u0065":"secret"}]'),
    'a member occurs twice',
  ],
  ['whose list is an object', tools('{"0":{"name":"secret"}}'), 'the list is not an array'],
  ['whose list is a string', tools('"secret"'), 'the list is not an array'],
];

for (const [what, text, fault] of faultTable) {
  test(`an answer to a list request is not handed on: ${what}`, () => {
    assert.equal(filter(text), `fault: ${fault}`);
  });
}

const passTable: readonly (readonly [string, string])[] = [
  ['an error', '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"secret"}}'],
  ['an error without an id', '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}'],
  [
    'a notification',
    '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":2}}',
  ],
  ['a changed list', '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'],
  [
    'a request of the server',
    '{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"tools":[{"name":"secret"}]}}',
  ],
  ['a result without a list', '{"id":1,"result":{}}'],
  ['a result that is no object', '{"id":1,"result":[{"tools":[{"name":"secret"}]}]}'],
  [
    'members that nobody reads, twice',
    '{"id":1,"x":1,"x":2,"result":{"y":1,"y":2,"tools":[{"name":"a","z":1,"z":2}]}}',
  ],
  ['an id in another spelling', '{"id":1.0,"result":{"tools":[]}}'],
];

for (const [what, text] of passTable) {
  test(`passes as it is: ${what}`, () => {
    assert.equal(filter(text), 'same');
  });
}

test('on other streams a list is known by its shape, whatever the id', () => {
  for (const kind of listKinds) {
    const message = `{"id":99,"result":{"${kind}":[{"${namingMember[kind]}":"secret"}],"content":[]}}`;
    assert.equal(
      filter(message, { expected: null }),
      `{"id":99,"result":{"${kind}":[],"content":[]}}`,
    );
  }
});

test('on other streams what is no list passes, and what can not be read does not', () => {
  const expected = null;
  assert.equal(filter('{"id":4,"result":{"tools":"secret","content":[]}}', { expected }), 'same');
  assert.equal(filter('true', { expected }), 'same');
  assert.equal(filter('ping', { expected }), 'fault: not JSON');
  assert.equal(filter('[]', { expected }), 'fault: a batch');
});

test('several lists in one result are all filtered', () => {
  assert.equal(
    filter(
      '{"id":1,"result":{"prompts":[{"name":"secret"},{"name":"a"}],"tools":[{"name":"b"},{"name":"secret"}]}}',
    ),
    '{"id":1,"result":{"prompts":[{"name":"a"}],"tools":[{"name":"b"}]}}',
  );
});

test('an updated resource is told of only to who may read it', () => {
  const updated = (params: string): string =>
    filter(`{"jsonrpc":"2.0","method":"notifications/resources/\\u0075pdated"${params}}`, {
      expected: null,
    });
  assert.equal(updated(',"params":{"uri":"test://open"}'), 'same');
  assert.equal(updated(',"params":{"uri":"test://secret"}'), 'dropped');
  assert.equal(updated(',"params":{"\\u0075ri":"test://\\u0073ecret"}'), 'dropped');
  assert.equal(updated(''), 'dropped');
  assert.equal(updated(',"params":{"uri":1}'), 'dropped');
  assert.equal(updated(',"params":["test://open"]'), 'dropped');
  assert.equal(
    updated(',"params":{"uri":"test://open","uri":"test://secret"}'),
    'fault: a member occurs twice',
  );
});

const scopeTable: readonly (readonly [string, string, string])[] = [
  [
    'public becomes private',
    '{"tools":[],"ttlMs":5,"cacheScope":"public"}',
    '{"tools":[],"ttlMs":5,"cacheScope":"private"}',
  ],
  ['private stays', '{"cacheScope":"private","tools":[]}', 'same'],
  [
    'public under escapes becomes private',
    '{"cache\\u0053cope":"\\u0070ublic","tools":[]}',
    '{"cache\\u0053cope":"private","tools":[]}',
  ],
  [
    'a scope nobody knows becomes private',
    '{"cacheScope":"shared","tools":[]}',
    '{"cacheScope":"private","tools":[]}',
  ],
  [
    'a scope that is no string becomes private',
    '{"cacheScope":{"a":[]},"tools":[]}',
    '{"cacheScope":"private","tools":[]}',
  ],
  [
    'a missing one is put in: readers may take it for public',
    '{ "tools":[]}',
    '{"cacheScope":"private", "tools":[]}',
  ],
  [
    'it changes together with the list',
    '{"cacheScope":"public","tools":[{"name":"secret"}]}',
    '{"cacheScope":"private","tools":[]}',
  ],
  [
    'it changes after the list',
    '{"tools":[{"name":"secret"}],"cacheScope":"public"}',
    '{"tools":[],"cacheScope":"private"}',
  ],
  ['a result without a list is left alone', '{"resultType":"input_required"}', 'same'],
];

for (const [what, result, expected] of scopeTable) {
  test(`cacheScope of a modern list: ${what}`, () => {
    const wrap = (text: string): string => `{"jsonrpc":"2.0","id":1,"result":${text}}`;
    assert.equal(
      filter(wrap(result), { era: 'modern' }),
      expected === 'same' ? 'same' : wrap(expected),
    );
  });
}

test('cacheScope of a legacy list, and of what is no list, is left alone', () => {
  assert.equal(filter(tools('[]', ',"cacheScope":"public"')), 'same');
  assert.equal(
    filter('{"id":2,"result":{"contents":[],"cacheScope":"public"}}', {
      era: 'modern',
      expected: null,
    }),
    'same',
  );
});

/** One item of a list: its octets, and its name as a reader sees it. */
interface Item {
  readonly text: string;
  readonly name: string | null;
}

const itemOf = (kind: ListKind): fc.Arbitrary<Item> =>
  fc
    .record({
      name: fc.option(fc.stringMatching(/^[a-d]{1,2}$/), { freq: 8 }),
      members: fc.array(fc.tuple(fc.constantFrom('title', 'x', '_meta', 'é"'), jsonText), {
        maxLength: 3,
      }),
      place: fc.nat(3),
      escapeName: fc.nat(3),
      escapeMember: fc.nat(3),
      gap: space,
    })
    .map(({ name, members, place, escapeName, escapeMember, gap }) => {
      const texts = members.map(([member, value]) => `${JSON.stringify(member)}${gap}:${value}`);
      if (name !== null) {
        texts.splice(
          place,
          0,
          `${quoted(namingMember[kind], escapeMember)}:${gap}${quoted(name, escapeName)}`,
        );
      }
      return { text: `{${gap}${texts.join(`${gap},`)}}`, name };
    });

const listMessage = fc.constantFrom(...listKinds).chain((kind) =>
  fc
    .record({
      kind: fc.constant(kind),
      items: fc.array(fc.tuple(itemOf(kind), space, space), { maxLength: 7 }),
      gap: space,
      others: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'nextCursor'), jsonText), {
        maxLength: 2,
      }),
      isListFirst: fc.boolean(),
      isResultFirst: fc.boolean(),
    })
    .map(({ items, gap, others, isListFirst, isResultFirst, ...rest }) => {
      const list = `[${gap}${items.map(([item, before, after]) => before + item.text + after).join(',')}${gap}]`;
      const other = others.map(([name, value]) => `"${name}":${value}`).join(gap + ',');
      const listMember = `"${kind}"${gap}:${gap}`;
      const before = isListFirst || other === '' ? '' : `${other},`;
      const after = isListFirst && other !== '' ? `,${other}` : '';
      const head = isResultFirst ? '{"result":{' : '{"id":1,"jsonrpc":"2.0","result":{';
      const tail = isResultFirst ? '},"id":1}' : `}${gap}}`;
      return {
        ...rest,
        items: items.map(([item]) => item),
        before: `${head}${before}${listMember}`,
        list,
        after: `${after}${tail}`,
      };
    }),
);

test('random lists: what is visible is left in order, octet by octet, and nothing else changes', () => {
  fc.assert(
    fc.property(
      listMessage,
      fc.func(fc.boolean()),
      ({ kind, items, before, list, after }, sees) => {
        const isVisible = (asKind: ListKind, name: string): boolean =>
          asKind === kind && sees(name);
        const text = before + list + after;
        const verdict = filterMessage(Buffer.from(text), {
          expected: { id: 1, kind },
          era: 'legacy',
          isVisible,
        });
        const kept = items.filter(({ name }) => name !== null && sees(name));
        if (kept.length === items.length) {
          assert.equal(verdict.action, 'pass');
          return;
        }
        assert.ok(verdict.action === 'replace');
        const filtered = verdict.message.toString();
        assert.ok(filtered.startsWith(`${before}[`) && filtered.endsWith(`]${after}`));
        let rest = filtered.slice(before.length + 1, filtered.length - after.length - 1);
        for (const [index, { text: item }] of kept.entries()) {
          rest = rest.trimStart();
          if (index > 0) {
            assert.ok(rest.startsWith(','));
            rest = rest.slice(1).trimStart();
          }
          assert.ok(rest.startsWith(item), filtered);
          rest = rest.slice(item.length);
        }
        assert.equal(rest.trim(), '');
      },
    ),
    { numRuns: 400 },
  );
});

test('random lists in the modern era: only the items and cacheScope differ for a reader', () => {
  fc.assert(
    fc.property(listMessage, fc.func(fc.boolean()), ({ kind, before, list, after }, sees) => {
      const isVisible = (_kind: ListKind, name: string): boolean => sees(name);
      const text = Buffer.from(before + list + after);
      const verdict = filterMessage(text, { expected: null, era: 'modern', isVisible });
      assert.ok(verdict.action === 'replace');
      const expected = JSON.parse(text.toString()) as { result: Record<string, unknown> };
      const items = expected.result[kind] as Record<string, unknown>[];
      expected.result[kind] = items.filter((item) => {
        const name = item[namingMember[kind]];
        return typeof name === 'string' && sees(name);
      });
      expected.result.cacheScope = 'private';
      assert.deepEqual(JSON.parse(verdict.message.toString()), expected);
    }),
    { numRuns: 150 },
  );
});

test('nothing throws: random octets, random JSON, and messages with random octets changed', () => {
  const contexts: readonly MessageContext[] = [
    hidesSecret,
    { ...hidesSecret, expected: null, era: 'modern' },
  ];
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    jsonText.map((text) => new Uint8Array(Buffer.from(text))),
    fc.tuple(listMessage, fc.nat(), fc.nat(255)).map(([{ before, list, after }, place, octet]) => {
      const bytes = Buffer.from(before + list + after);
      bytes[place % bytes.length] = octet;
      return new Uint8Array(bytes);
    }),
  );
  fc.assert(
    fc.property(octets, (bytes) => {
      for (const context of contexts) {
        const verdict = filterMessage(bytes, context);
        if (verdict.action === 'replace') JSON.parse(verdict.message.toString());
      }
    }),
    { numRuns: 600 },
  );
});
