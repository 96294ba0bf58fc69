/** Bodies that not every parser reads alike, or not at all. */
import { eras, echoCall, headersFor, meta, message, secretCall } from './messages.ts';
import { bytes, probe, type Probe } from './probe.ts';

const call = secretCall('legacy');

const ids: readonly (readonly [name: string, text: string])[] = [
  ['zero', '0'],
  ['negative', '-7'],
  ['minus zero', '-0'],
  ['a fraction', '7.5'],
  ['with an exponent', '7e0'],
  ['infinite', '1e400'],
  ['beyond exact numbers', '12345678901234567890'],
  ['a string', '"seven"'],
  ['an empty string', '""'],
  ['an escaped string', '"\\u0037"'],
  ['a very long string', `"${'7'.repeat(5000)}"`],
  ['half a pair', '"\\ud800"'],
  ['null', 'null'],
  ['true', 'true'],
  ['an array', '[7]'],
  ['an object', '{"id":7}'],
  ['there twice', '7,"id":8'],
  ['there twice, once null', 'null,"id":7'],
  ['there twice, once escaped', 'null,"\\u0069d":7'],
  ['with a leading zero', '07'],
  ['with a plus', '+7'],
  ['hexadecimal', '0x7'],
  ['not a number', 'NaN'],
];

const replaced = (from: string, to: string) => call.replace(from, to);
const utf16 = (text: string, order: 'le' | 'be', mark: boolean): Uint8Array => {
  const octets = Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le');
  return order === 'le' ? octets : octets.swap16();
};
const utf32 = (text: string) =>
  Buffer.concat(Array.from(text, (char) => Buffer.from([char.charCodeAt(0), 0, 0, 0])));
/** A text with octets in place of `#`. */
const withOctets = (text: string, ...octets: number[]): Uint8Array => {
  const [before = '', after = ''] = text.split('#');
  return Buffer.concat([bytes(before), Buffer.from(octets), bytes(after)]);
};
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

const texts: readonly (readonly [name: string, body: string | Uint8Array])[] = [
  ['behind a byte order mark', `\ufeff${call}`],
  ['behind two byte order marks', `\ufeff\ufeff${call}`],
  ['before a byte order mark', `${call}\ufeff`],
  ['in UTF-16, little-endian', utf16(call, 'le', false)],
  ['in UTF-16, little-endian, with its mark', utf16(call, 'le', true)],
  ['in UTF-16, big-endian, with its mark', utf16(call, 'be', true)],
  ['in UTF-32', utf32(call)],
  ['in UTF-7', call.replaceAll('"', '+ACI-')],
  ['with an overlong letter', withOctets(replaced('secret', '#ecret'), 0xc1, 0xb3)],
  ['with an overlong letter in a member', withOctets(replaced('"name"', '"name":"echo","#ame"'), 0xc1, 0xae)], // prettier-ignore
  ['with an overlong solidus', withOctets(replaced('tools/call', 'tools#call'), 0xc0, 0xaf)],
  ['with an octet that is not UTF-8', withOctets(replaced('secret', 'secret#'), 0xff)],
  ['with half a letter', withOctets(replaced('secret', 'secret#'), 0xe2, 0x82)],
  ['with an encoded surrogate', withOctets(replaced('secret', 'secret#'), 0xed, 0xa0, 0x80)],
  ['with an octet that is not UTF-8 beside it', withOctets(replaced('{}', '{"a":"#"}'), 0xff)],
  ['with an octet that is not UTF-8 in a member', withOctets(replaced('"name"', '"name":"echo","name#"'), 0xff)], // prettier-ignore
  ['before one more octet', `${call}x`],
  ['before a brace', `${call}}`],
  ['before a NUL', `${call}\0`],
  ['before a comma', `${call},`],
  ['behind a NUL', `\0${call}`],
  ['behind a prefix against hijacking', `)]}',\n${call}`],
  ['twice', `${call}${call}`],
  ['twice, on two lines', `${call}\n${call}`],
  ['behind an allowed call', `${echoCall('legacy')}${call}`],
  ['behind an allowed call, on a line of its own', `${echoCall('legacy')}\r\n${call}`],
  ['behind a record separator', `\x1e${call}\n`],
  ['as a server-sent event', `data: ${call}\n\n`],
  ['behind spaces', `   ${call}`],
  ['behind tabs and line ends', `\t\r\n${call}\r\n\t `],
  ['behind a no-break space', `\u00a0${call}`],
  ['behind a form feed', `\f${call}`],
  ['behind a vertical tab', `\v${call}`],
  ['behind a line separator', `\u2028${call}`],
  ['with white space within', call.replaceAll(':', ' \t\r\n: ').replaceAll(',', ' , ')],
  ['behind a comment', `/* x */${call}`],
  ['behind a line comment', `// x\n${call}`],
  ['with a comment within', replaced('"name":', '"name":/*"echo",*/')],
  ['with a comment that hides', replaced('"name":"secret"', '/*"name":"echo"}}*/"name":"secret"')],
  ['with a hash comment', `${call} # "echo"`],
  ['with a comma too much', replaced('"arguments":{}', '"arguments":{},')],
  ['with single quotes', call.replaceAll('"', "'")],
  ['with members that are not quoted', replaced('"method"', 'method')],
  ['with a raw tab in a string', replaced('secret', 'sec\tret')],
  ['with an escape that is none', replaced('secret', '\\secret')],
  ['with an octal escape', replaced('secret', '\\163ecret')],
  ['with a hexadecimal escape', replaced('secret', '\\x73ecret')],
  ['with a line continued', replaced('secret', 'sec\\\nret')],
  ['with a colon too much', replaced('"method":', '"method"::')],
  ['cut off', call.slice(0, -1)],
  ['as a string', JSON.stringify(call)],
  ['as base64', Buffer.from(call).toString('base64')],
  ['as a form', `message=${encodeURIComponent(call)}`],
  ['as the parameters of a URL', 'jsonrpc=2.0&id=7&method=tools/call&params[name]=secret'],
  ['as XML', '<methodCall><methodName>tools/call</methodName></methodCall>'],
  ['with nothing', ''],
  ['in a batch', `[${call}]`],
  ['in a batch, behind a list', `[${message('legacy', 'tools/list', '')},${call}]`],
  ['in a batch, behind an allowed call', `[${echoCall('legacy')},${call}]`],
  ['in a batch, before an allowed call', `[${call},${echoCall('legacy')}]`],
  ['in a batch, behind a notification', `[{"jsonrpc":"2.0","method":"notifications/x"},${call}]`],
  ['in a batch, behind an answer', `[{"jsonrpc":"2.0","id":1,"result":{}},${call}]`],
  ['in a batch of a hundred', `[${new Array<string>(100).fill(call).join(',')}]`],
  ['in a batch in a batch', `[[${call}]]`],
  ['in an empty batch', '[]'],
  ['in a batch of white space', ` [ ${call} ] `],
  ['in a batch behind a byte order mark', `\ufeff[${call}]`],
  ['as a member of an object', `{"0":${call},"length":1}`],
  ['wrapped', `{"message":${call}}`],
  ['wrapped in its own parameters', `{"jsonrpc":"2.0","id":7,"method":"ping","params":${call}}`],
  ['with parameters in an array', replaced('"params":{', '"params":[{').replace('{}}}', '{}}]}')],
  ['with parameters by position', `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":["secret",{}]}`],
  ['with parameters in a string', `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":"{\\"name\\":\\"secret\\"}"}`],
  ['without parameters', '{"jsonrpc":"2.0","id":7,"method":"tools/call","name":"secret"}'],
  ['with parameters that are null', '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":null,"name":"secret"}'],
  ['without the version of JSON-RPC', replaced('"jsonrpc":"2.0",', '')],
  ['in JSON-RPC 1.0', replaced('"jsonrpc":"2.0"', '"jsonrpc":"1.0"')],
  ['in JSON-RPC 2, a number', replaced('"2.0"', '2.0')],
  ['in JSON-RPC twice', replaced('"jsonrpc":"2.0"', '"jsonrpc":"2.0","jsonrpc":"2.0"')],
  ['with a member that nobody knows', replaced('"id"', '"auth":"admin","id"')],
  ['with an extension of JSON-RPC', replaced('"id"', '"extensions":{},"id"')],
  ['without an id', replaced('"id":7,', '')],
  ['without an id, in a batch', `[${replaced('"id":7,', '')}]`],
  ['as an answer', replaced('"method":"tools/call",', '').replace('"params"', '"result"')],
  ['too deep', replaced('{}', `{"a":${nested(2000)}}`)],
  ['far too deep', replaced('{}', `{"a":${nested(100_000)}}`)],
  ['behind great depth', `${nested(5000).slice(0, 5000)}${call}`],
  ['with very many members', replaced('{}', `{${Array.from({ length: 210_000 }, (_, n) => `"${n}":1`).join(',')}}`)],
  ['with a very long member', replaced('{}', `{"${'a'.repeat(100_000)}":1}`)],
  ['larger than any server reads', replaced('{}', `{"a":"${'a'.repeat(5_000_000)}"}`)],
  ['with a number that is infinite', replaced('{}', '{"a":1e999}')],
]; // prettier-ignore

export const jsonTexts: readonly Probe[] = [
  ...eras.flatMap((era) =>
    ids.map(([name, text]) =>
      probe(`${era}, with an id that is ${name}`, 'tool', {
        body: message(era, 'tools/call', '"name":"secret","arguments":{}', text),
        headers: headersFor(era),
      }),
    ),
  ),
  ...texts.map(([name, body]) => probe(`legacy, ${name}`, 'tool', { body })),
  ...texts.flatMap(([name, body]) =>
    typeof body === 'string' && body.includes('"params":{') && body.length < 1000
      ? [
          probe(`modern, ${name}`, 'tool', {
            body: body.replaceAll('"params":{', `"params":{${meta},`),
            headers: headersFor('modern'),
          }),
        ]
      : [],
  ),
];
