/**
 * A slow JSON parser, straight from the grammar of RFC 8259, that keeps what JSON.parse throws away: the members
 * in their order with repetitions, and the writing of numbers. The reference for the fast reader.
 */

export type Node =
  | { readonly type: 'object'; readonly members: readonly (readonly [string, Node])[] }
  | { readonly type: 'array'; readonly elements: readonly Node[] }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'number'; readonly text: string }
  | { readonly type: 'literal'; readonly value: boolean | null };

/** @returns the tree, or `null` for text that is not JSON */
export function parseReference(text: string): Node | null {
  let at = 0;
  try {
    const node = value();
    return at === text.length ? node : null;
  } catch (error) {
    if (error instanceof NotJson) return null;
    throw error;
  }

  function value(): Node {
    space();
    const node = bare();
    space();
    return node;
  }

  function bare(): Node {
    const char = text[at];
    if (char === '{') return object();
    if (char === '[') return array();
    if (char === '"') return { type: 'string', value: string() };
    for (const [word, literal] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (text.startsWith(word, at)) {
        at += word.length;
        return { type: 'literal', value: literal };
      }
    }
    const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
    number.lastIndex = at;
    const match = number.exec(text);
    if (match === null) throw new NotJson();
    at += match[0].length;
    return { type: 'number', text: match[0] };
  }

  function object(): Node {
    const members: [string, Node][] = [];
    at += 1;
    space();
    if (take('}')) return { type: 'object', members };
    do {
      space();
      const name = string();
      space();
      if (!take(':')) throw new NotJson();
      members.push([name, value()]);
    } while (take(','));
    if (!take('}')) throw new NotJson();
    return { type: 'object', members };
  }

  function array(): Node {
    const elements: Node[] = [];
    at += 1;
    space();
    if (take(']')) return { type: 'array', elements };
    do elements.push(value());
    while (take(','));
    if (!take(']')) throw new NotJson();
    return { type: 'array', elements };
  }

  function string(): string {
    if (!take('"')) throw new NotJson();
    let result = '';
    for (;;) {
      const char = text[at];
      at += 1;
      if (char === undefined || char < ' ') throw new NotJson();
      if (char === '"') return result;
      if (char !== '\\') {
        result += char;
        continue;
      }
      const escape = text[at] ?? '';
      at += 1;
      const hex = text.slice(at, at + 4);
      if (escape === 'u' && /^[0-9a-fA-F]{4}$/.test(hex)) {
        result += String.fromCharCode(parseInt(hex, 16));
        at += 4;
        continue;
      }
      const index = '"\\/bfnrt'.indexOf(escape);
      if (escape === '' || index === -1) throw new NotJson();
      result += '"\\/\b\f\n\r\t'.charAt(index);
    }
  }

  function take(char: string): boolean {
    if (text[at] !== char) return false;
    at += 1;
    return true;
  }

  function space(): void {
    while (' \t\n\r'.includes(text[at] ?? '.')) at += 1;
  }
}

class NotJson extends Error {}

/** The value as a reader builds it that keeps, of members with one name, the first or the last. */
export function toValue(node: Node, wins: 'first' | 'last'): unknown {
  switch (node.type) {
    case 'object': {
      const members = wins === 'last' ? node.members : [...node.members].reverse();
      const built = new Map(members.map(([name, inner]) => [name, toValue(inner, wins)]));
      return Object.fromEntries(built);
    }
    case 'array':
      return node.elements.map((element) => toValue(element, wins));
    case 'number':
      return Number(node.text);
    case 'string':
    case 'literal':
      return node.value;
  }
}

/** Everything that the strict reader must refuse in a tree, limits apart. */
export function faultsOf(node: Node): Set<string> {
  const faults = new Set<string>();
  visit(node);
  return faults;

  function visit(inner: Node): void {
    if (inner.type === 'object') {
      const names = inner.members.map(([name]) => name);
      if (new Set(names).size < names.length) faults.add('a member occurs twice');
      if (names.includes('__proto__')) faults.add('a member is named __proto__');
      names.forEach(text);
      for (const [, value] of inner.members) visit(value);
    }
    if (inner.type === 'array') inner.elements.forEach(visit);
    if (inner.type === 'string') text(inner.value);
    if (inner.type === 'number' && !Number.isFinite(Number(inner.text))) {
      faults.add('a number without a finite value');
    }
  }

  function text(value: string): void {
    if (/\p{Surrogate}/u.test(value)) faults.add('half of a surrogate pair');
  }
}

export function depthOf(node: Node): number {
  if (node.type === 'object') return 1 + deepest(node.members.map(([, value]) => value));
  return node.type === 'array' ? 1 + deepest(node.elements) : 0;
}

function deepest(nodes: readonly Node[]): number {
  return nodes.reduce((depth, node) => Math.max(depth, depthOf(node)), 0);
}
