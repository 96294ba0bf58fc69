import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requestHead } from '../../../src/forward/http1/write-request.ts';
import { get, post } from '../raw-upstream.ts';

test('a head is written as HTTP/1.1 has it', () =>
  assert.equal(
    requestHead({
      ...post,
      path: '/a?b=c',
      headers: ['host', 'h', 'x-a', 'caf\u00e9', 'empty', ''],
    }),
    'POST /a?b=c HTTP/1.1\r\nhost: h\r\nx-a: caf\u00e9\r\nempty: \r\ncontent-length: 7\r\n\r\n',
  ));

describe('a request that must not be sent is not written', () => {
  const value = (text: string) => ({ ...get, headers: ['host', text] });
  const field = (name: string) => ({ ...get, headers: ['host', 'h', name, '1'] });
  const rows = {
    'a line break in a value': value('a\r\nb: c'),
    'a line feed': value('a\nb'),
    'a carriage return': value('a\rb'),
    NUL: value('a\0b'),
    'a control character': value('a\x01b'),
    DEL: value('a\x7f'),
    'a character that loses its upper octet, a line feed else': value('a\u010ab'),
    'a space in a name': field('a b'),
    'a colon in a name': field('a:b'),
    'no name': field(''),
    'a line break in a name': field('a\r\nb'),
    'a letter beyond ASCII in a name': field('\u00e9'),
    'a path with a space': { ...get, path: '/a b' },
    'a path with a line break': { ...get, path: '/a\r\nb' },
    'a path beyond ASCII': { ...get, path: '/\u00e9' },
    'a path that is none': { ...get, path: 'http://a/' },
    'no path': { ...get, path: '' },
    'a method with a space': { ...get, method: 'A B' },
    'no method': { ...get, method: '' },
    CONNECT: { ...get, method: 'CONNECT' },
    'a length': field('content-length'),
    'a length in capitals': field('Content-Length'),
    'a transfer coding': field('transfer-encoding'),
    'a connection field': field('connection'),
    'an upgrade': field('upgrade'),
    'an expectation': field('expect'),
    'a trailer': field('trailer'),
    TE: field('te'),
  };
  for (const [what, request] of Object.entries(rows)) {
    test(what, () => assert.equal(requestHead(request), null));
  }
});
