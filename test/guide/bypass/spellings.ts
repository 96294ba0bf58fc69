/** Names, members and methods written otherwise: the gate and the server have to read the same. */
import { eras, headersFor, message, meta, secretCall, type Era } from './messages.ts';
import { probe, type Probe } from './probe.ts';

const uEscaped = (text: string) =>
  Array.from(text, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** JSON texts of the name. Those that a server reads as `secret` must be denied, the others must not become it. */
const names: readonly (readonly [name: string, text: string])[] = [
  ['plainly', '"secret"'],
  ['with one letter escaped', '"\\u0073ecret"'],
  ['all escaped', `"${uEscaped('secret')}"`],
  ['escaped in upper-case digits', '"secre\\u0074"'],
  ['capitalised', '"Secret"'],
  ['in capitals', '"SECRET"'],
  ['behind a space', '" secret"'],
  ['before a space', '"secret "'],
  ['before a tab', '"secret\\t"'],
  ['before a line end', '"secret\\r\\n"'],
  ['behind a no-break space', '"\\u00a0secret"'],
  ['before a NUL', '"secret\\u0000"'],
  ['before a NUL and an allowed name', '"secret\\u0000echo"'],
  ['behind an allowed name and a NUL', '"echo\\u0000secret"'],
  ['behind an allowed name and a line end', '"echo\\nsecret"'],
  ['with a combining accent', '"se\\u0301cret"'],
  ['with a composed accent', '"s\\u00e9cret"'],
  ['in full-width letters', '"\\uff53\\uff45\\uff43\\uff52\\uff45\\uff54"'],
  ['with Cyrillic letters', '"s\\u0435\\u0441r\\u0435t"'],
  ['with a long s', '"\\u017fecret"'],
  ['with mathematical letters', '"\\ud835\\udc2cecret"'],
  ['with a zero-width space', '"sec\\u200bret"'],
  ['with a zero-width joiner', '"sec\\u200dret"'],
  ['with a soft hyphen', '"sec\\u00adret"'],
  ['with a byte order mark', '"\\ufeffsecret"'],
  ['from right to left', '"\\u202eterces"'],
  ['behind half a pair', '"\\ud800secret"'],
  ['before half a pair', '"secret\\udc00"'],
  ['with its halves exchanged', '"secret\\udc00\\ud800"'],
  ['percent-encoded', '"%73ecret"'],
  ['as an HTML entity', '"&#115;ecret"'],
  ['behind the name of its target', '"target_secret"'],
  ['behind a path', '"echo/../secret"'],
  ['behind a dot', '"./secret"'],
  ['with a query', '"secret?echo"'],
  ['with a fragment', '"echo#secret"'],
  ['in an array', '["secret"]'],
  ['in an array of two', '["echo","secret"]'],
  ['in an object', '{"name":"secret"}'],
  ['as an object that says what it is', '{"toString":"secret"}'],
  ['as a number', '1'],
  ['as null', 'null'],
  ['as true', 'true'],
  ['quoted twice', '"\\"secret\\""'],
  ['very long', `"secret${' '.repeat(5000)}"`],
];

const echoed = '"name":"echo"';
const secret = '"name":"secret"';

/** Members of params: more names than one, or the name in another place. */
const members: readonly (readonly [name: string, params: string])[] = [
  ['the name twice', `${echoed},${secret}`],
  ['the name twice, the other way round', `${secret},${echoed}`],
  ['the name three times', `${echoed},${secret},${echoed}`],
  ['the name twice, once escaped', `${echoed},"\\u006eame":"secret"`],
  ['the name twice, first escaped', `"n\\u0061me":"secret",${echoed}`],
  ['the name twice, wholly escaped', `${echoed},"${uEscaped('name')}":"secret"`],
  ['an escaped name alone', '"\\u006eame":"secret"'],
  ['a capitalised name', `${echoed},"Name":"secret"`],
  ['a name in capitals', `"NAME":"secret",${echoed}`],
  ['a capitalised name alone', '"Name":"secret"'],
  ['a name before a space', `${echoed},"name ":"secret"`],
  ['a name before a NUL', `${echoed},"name\\u0000":"secret"`],
  ['a name in full-width letters', `${echoed},"\\uff4eame":"secret"`],
  ['a name of a prototype', `${echoed},"__proto__":{"name":"secret"}`],
  ['a name of a prototype alone', '"__proto__":{"name":"secret"}'],
  ['a prototype, escaped', `${echoed},"\\u005f_proto__":{"name":"secret"}`],
  ['a constructor', `${echoed},"constructor":{"prototype":{"name":"secret"}}`],
  ['a name among the arguments', `${echoed},"arguments":{"name":"secret"}`],
  ['the arguments twice', `${secret},"arguments":{},"arguments":{}`],
  ['an argument twice', `${secret},"arguments":{"a":1,"a":2}`],
  ['a prototype among the arguments', `${secret},"arguments":{"__proto__":{"name":"echo"}}`],
  ['a name and a URI', `${secret},"uri":"test://open"`],
  ['a tool member', `${echoed},"tool":"secret"`],
  ['a method among the parameters', `${echoed},"method":"tools/call","params":{${secret}}`],
  ['a task', `${secret},"task":{"ttl":1000}`],
  ['answers to what nobody asked', `${secret},"inputResponses":{"a":{"action":"accept"}}`],
  ['a state that nobody gave', `${secret},"requestState":"x"`],
  ['a cursor', `${secret},"cursor":"x"`],
];

const rest = '"params":{"name":"secret","arguments":{}}';
const methods: readonly (readonly [name: string, member: string])[] = [
  ['with an escaped solidus', '"method":"tools\\/call"'],
  ['escaped', '"method":"\\u0074ools/call"'],
  ['wholly escaped', `"method":"${uEscaped('tools/call')}"`],
  ['under an escaped member', '"m\\u0065thod":"tools/call"'],
  ['twice', '"method":"tools/list","method":"tools/call"'],
  ['twice, the other way round', '"method":"tools/call","method":"tools/list"'],
  ['twice, once escaped', '"method":"ping","m\\u0065thod":"tools/call"'],
  ['beside a capitalised one', '"method":"ping","Method":"tools/call"'],
  ['capitalised', '"method":"Tools/Call"'],
  ['in capitals', '"method":"TOOLS/CALL"'],
  ['before a space', '"method":"tools/call "'],
  ['behind a space', '"method":" tools/call"'],
  ['before a line end', '"method":"tools/call\\n"'],
  ['before a NUL', '"method":"tools/call\\u0000"'],
  ['with two solidi', '"method":"tools//call"'],
  ['before a solidus', '"method":"tools/call/"'],
  ['with a dot', '"method":"tools.call"'],
  ['with a full-width solidus', '"method":"tools\\uff0fcall"'],
  ['with a zero-width space', '"method":"tools/\\u200bcall"'],
  ['with Roman numerals', '"method":"tools/ca\\u217c\\u217c"'],
  ['in an array', '"method":["tools/call"]'],
  ['in an object', '"method":{"name":"tools/call"}'],
  ['of a prototype', '"__proto__":{"method":"tools/call"}'],
  ['beside a prototype', '"method":"ping","__proto__":{"method":"tools/call"}'],
  ['beside a result', '"method":"tools/call","result":{}'],
  ['beside an error', '"method":"tools/call","error":{"code":1,"message":"x"}'],
  ['behind a result', '"result":{},"method":"tools/call"'],
  ['with the parameters twice', '"params":{"name":"echo"},"method":"tools/call"'],
  ['with parameters in another spelling', '"Params":{"name":"echo"},"method":"tools/call"'],
];

const metas: readonly (readonly [name: string, meta: string])[] = [
  [
    'the claim twice',
    meta.replace('{', `{"io.modelcontextprotocol/protocolVersion":"2025-11-25",`),
  ],
  ['the claim in capitals', meta.replace('protocolVersion', 'PROTOCOLVERSION')],
  ['the claim escaped', meta.replace('protocolVersion', '\\u0070rotocolVersion')],
  ['the metadata twice', `"_meta":{},${meta}`],
  ['the metadata twice, the other way round', `${meta},"_meta":{}`],
  ['a claim of an old version', meta.replace('2026-07-28', '2025-11-25')],
  ['a claim of a future version', meta.replace('2026-07-28', '2099-01-01')],
  ['a claim that is a number', meta.replace('"2026-07-28"', '20260728')],
  ['a claim that is null', meta.replace('"2026-07-28"', 'null')],
  ['no capabilities', '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}'],
  ['metadata of another type', '"_meta":[]'],
  ['metadata that is null', '"_meta":null'],
];

function withMeta(era: Era, params: string): string {
  return message(era, 'tools/call', params);
}

export const spellings: readonly Probe[] = [
  ...eras.flatMap((era) => [
    ...names.map(([name, text]) =>
      probe(`${era}, named ${name}`, 'tool', {
        body: withMeta(era, `"name":${text}`),
        headers: headersFor(era),
      }),
    ),
    ...members.map(([name, params]) =>
      probe(`${era}, with ${name}`, 'tool', {
        body: withMeta(era, params),
        headers: headersFor(era, 'tools/call', params.includes(secret) ? 'secret' : 'echo'),
      }),
    ),
    ...methods.map(([name, member]) =>
      probe(`${era}, the method ${name}`, 'tool', {
        body: `{"jsonrpc":"2.0","id":7,${member},${era === 'legacy' ? rest : rest.replace('{', `{${meta},`)}}`,
        headers: headersFor(era),
      }),
    ),
  ]),
  ...metas.flatMap(([name, other]) =>
    [headersFor('legacy'), headersFor('modern')].map((headers) =>
      probe(`with ${name}, ${headers.length === 0 ? 'without' : 'under'} modern headers`, 'tool', {
        body: secretCall('legacy').replace('"arguments"', `${other},"arguments"`),
        headers,
      }),
    ),
  ),
];
