/** Bodies made of the members that decide, repeated, escaped, in other spellings, of wrong types. */
import fc from 'fast-check';
import { written } from '../json/json-texts.ts';
import { call, CAPABILITIES, modernCall, VERSION } from './messages.ts';

type Member = readonly [name: string, text: string];

const string = (...values: string[]) => fc.constantFrom(...values).chain(written);
const plain = (...texts: string[]) => fc.constantFrom(...texts);
const often = <T>(usual: fc.Arbitrary<T>, seldom: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 40, arbitrary: usual }, { weight: 1, arbitrary: seldom });

/** A name mostly as it is, or escaped; now and then in another spelling. */
const nameOf = (name: string) =>
  often(
    often(fc.constant(JSON.stringify(name)), written(name)),
    plain(name.toUpperCase(), `${name} `, `${name.charAt(0).toUpperCase()}${name.slice(1)}`).map(
      (other) => JSON.stringify(other),
    ),
  );
const member = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<Member> =>
  fc.tuple(nameOf(name), value);

/** An object of these members, mostly each once, in any order. */
function object(...members: fc.Arbitrary<Member>[]): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.tuple(...members),
      fc.array(fc.integer({ min: 0, max: 80 }), { minLength: members.length, maxLength: members.length }), // prettier-ignore
      fc.array(fc.oneof(...members), { maxLength: 1 }),
      fc.integer({ min: 0, max: 7 }),
      fc.boolean(),
    )
    .map(([all, drop, extra, die, reversed]) => {
      const kept = all.filter((_, index) => drop[index] !== 0);
      const list = die === 0 ? [...kept, ...extra] : kept;
      const ordered = reversed ? list.reverse() : list;
      return `{${ordered.map(([name, value]) => `${name}:${value}`).join(',')}}`;
    });
}

const odd = plain('null', '1', 'true', '[]', '{}', '["secret"]', '""', '{"name":"secret"}');
const toolName = often(string('echo', 'secret', 'nope'), fc.oneof(odd, string('Secret', 'secret\0', ' secret', 'sécret', 'constructor'))); // prettier-ignore
const uri = often(string('test://open', 'test://secret/x', 'TEST://secret/a/../x', 'test://nope', ' test://secret/x'), odd); // prettier-ignore
const version = often(string('2026-07-28', '2025-11-25', '2099-01-01'), odd);
const meta = often(
  object(member(VERSION, version), member(CAPABILITIES, often(plain('{}'), odd)), member('x', odd)),
  odd,
);
const params = fc.oneof(
  object(member('name', toolName)),
  object(member('name', toolName), member('arguments', often(plain('{}', '{"a":1}'), odd))),
  object(member('name', toolName), member('_meta', meta)),
  object(member('uri', uri), member('_meta', meta)),
  object(member('uri', uri), member('name', toolName)),
  odd,
);
const method = often(
  string('tools/call', 'tools/call', 'prompts/get', 'resources/read', 'tools/list', 'ping', 'initialize', 'notifications/x'), // prettier-ignore
  fc.oneof(odd, string('Tools/Call', 'tools/call ', 'vendor/x')),
);
const id = often(plain('7', '"a"', '0'), plain('null', '1.5', '1e2', '-0', '12345678901234567890', '{}', '[1]', 'true')); // prettier-ignore
const jsonrpc = often(plain('"2.0"'), plain('"1.0"', '2.0', 'null'));
const single = fc.oneof(
  { weight: 10, arbitrary: object(member('jsonrpc', jsonrpc), member('id', id), member('method', method), member('params', params)) }, // prettier-ignore
  { weight: 1, arbitrary: object(member('jsonrpc', jsonrpc), member('method', method), member('params', params)) }, // prettier-ignore
  { weight: 1, arbitrary: object(member('jsonrpc', jsonrpc), member('id', id), member('result', odd)) }, // prettier-ignore
);
/** JSON-RPC messages and what is not quite one; most are valid. */
export const randomBody: fc.Arbitrary<string> = often(single, fc.oneof(single.map((one) => `[${one}]`), single.map((one) => `\ufeff${one}`), single.map((one) => `${one}${one}`))); // prettier-ignore

/** Messages of everyday use, with room for changes that do no harm. */
const lawful = fc.constantFrom(
  ...[
    call('tools/call', {
      name: 'echo',
      arguments: { message: 'some words of no weight', deep: [1, { a: 'b' }] },
    }),
    call('prompts/get', { name: 'echo', arguments: { style: 'terse' } }, 'an-id'),
    call('resources/read', { uri: 'test://open', _meta: { progressToken: 'some-token' } }),
    modernCall('tools/call', { name: 'echo', arguments: { message: 'more words' } }),
    call('notifications/progress', { progressToken: 'some-token', progress: 1 }),
  ].map((message) => JSON.stringify(message)),
);

/** A message with some octets changed, left out or put in. */
export const mutatedBody: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: lawful }, { weight: 1, arbitrary: single }),
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 0.999, noNaN: true }),
        remove: fc.integer({ min: 0, max: 2 }),
        insert: fc.oneof(
          fc.uint8Array({ maxLength: 2 }),
          fc
            .constantFrom(
              ' ',
              '\n',
              'x',
              '"',
              '\\',
              ',',
              ':',
              '{',
              '}',
              '[',
              ']',
              '\\u0000',
              '/**/',
              '\ufeff',
              '0',
              'é',
            )
            .map((text) => Buffer.from(text)),
        ),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  )
  .map(([text, changes]) => {
    let octets: Uint8Array = Buffer.from(text);
    for (const { at, remove, insert } of changes) {
      const start = Math.floor(at * octets.length);
      octets = Buffer.concat([octets.subarray(0, start), insert, octets.subarray(start + remove)]);
    }
    return octets;
  });
