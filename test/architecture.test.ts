/** What the layout promises, checked on the sources themselves. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', 'src');

interface Import {
  /** As written. */
  readonly specifier: string;
  /** Nothing of it is left at run time. */
  readonly isTypeOnly: boolean;
}

interface Source {
  /** Path below src/. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  /** What the syntax holds that it should not, with line numbers. */
  readonly findings: readonly string[];
}

const STAGES = [
  'accept',
  'discover',
  'limit',
  'route',
  'authenticate',
  'authorize',
  'mcp',
  'forward',
  'record',
];

/** Data and pure functions that several stages read: files of one stage that others may import. */
const COMMON_GROUND: Readonly<Record<string, string>> = {
  'accept/request-head.ts': 'the shape of a request, and how one of its fields is read',
  'mcp/known-methods.ts': 'the methods that a message and a metric may be called by',
  'accept/request-path.ts': 'rules are compared in the one spelling that requests are brought into',
};

/** Where each foreign library is at home: a folder ends in a slash. */
const HOMES: Readonly<Record<string, string>> = {
  'uWebSockets.js': 'accept/listener.ts',
  jose: 'authenticate/',
  'lru-cache': 'authenticate/',
  piscina: 'authenticate/',
  '@marcbachmann/cel-js': 'authorize/',
  '@bufbuild/re2': 're2.ts',
  undici: 'forward/',
  ioredis: 'limit/',
  'rate-limiter-flexible': 'limit/',
  'prom-client': 'record/',
  'sonic-boom': 'record/',
  pino: 'record/process-log.ts',
  yaml: 'resources/',
  ajv: 'resources/',
};

const MAX_LINES = 400;
/** Files that are longer, each with the reason. */
const LONG_FILES: Readonly<Record<string, string>> = {};

const sources = walk(root).map((file) => read(file));

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [path];
  });
}

function read(file: string): Source {
  const text = readFileSync(file, 'utf8');
  return { path: relative(root, file), lines: text.split('\n').length - 1, ...parse(file, text) };
}

function parse(file: string, text: string): Pick<Source, 'imports' | 'findings'> {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const findings: string[] = [];
  const note = (node: ts.Node, what: string): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart());
    findings.push(`${what} in line ${line + 1}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      imports.push({ specifier: node.moduleSpecifier.text, isTypeOnly: isTypeOnly(node) });
    } else if (ts.isExportDeclaration(node)) {
      if (node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
        imports.push({ specifier: node.moduleSpecifier.text, isTypeOnly: node.isTypeOnly });
        if (node.exportClause === undefined) note(node, 'export *');
      }
    } else if (ts.isImportTypeNode(node)) {
      note(node, 'import() type');
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [specifier] = node.arguments;
      if (specifier !== undefined && ts.isStringLiteral(specifier)) {
        imports.push({ specifier: specifier.text, isTypeOnly: false });
      } else {
        note(node, 'import of a computed name');
      }
    } else if (ts.isExportAssignment(node)) {
      note(node, 'export default');
    } else if (node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent)) {
      note(node, 'export default');
    } else if (node.kind === ts.SyntaxKind.AnyKeyword) {
      note(node, 'any');
    } else if (ts.isIdentifier(node) && node.text === 'console') {
      note(node, 'console');
    } else if (ts.isEnumDeclaration(node) || ts.isModuleDeclaration(node)) {
      note(node, 'enum or namespace');
    } else if (ts.isNonNullExpression(node)) {
      note(node, 'non-null assertion');
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (/\b(?:TODO|FIXME|XXX)\b|@ts-(?:ignore|nocheck)/.test(text))
    findings.push('an unfinished mark');
  return { imports, findings };
}

function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  return (
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.length > 0 &&
    namedBindings.elements.every((element) => element.isTypeOnly)
  );
}

/** @returns the path below src/ that a relative import leads to, or `null` for another kind */
function targetOf(source: Source, { specifier }: Import): string | null {
  return specifier.startsWith('.') ? join(dirname(source.path), specifier) : null;
}

const folderOf = (path: string): string => (path.includes('/') ? (path.split('/')[0] ?? '') : '');
const isBuiltin = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(specifier);
const packageOf = (specifier: string): string =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

function assertNone(found: readonly string[]): void {
  assert.deepEqual(found, []);
}

test('there are sources to look at', () => assert.ok(sources.length > 50));

test('no stage imports the code of another stage: only the pipeline and the composition root do', () => {
  assertNone(
    sources.flatMap((source) => {
      const folder = folderOf(source.path);
      if (!STAGES.includes(folder)) return [];
      return source.imports.flatMap((entry) => {
        const target = targetOf(source, entry);
        if (target === null || entry.isTypeOnly || target in COMMON_GROUND) return [];
        const other = folderOf(target);
        const isForeign = STAGES.includes(other) && other !== folder;
        return isForeign ? [`${source.path} imports ${target}`] : [];
      });
    }),
  );
});

test('no stage imports what stands around the stages, or the composition root', () => {
  const around = ['resources', 'sources', 'workers', 'admin', 'commands'];
  const composition = [
    'cli',
    'gateway',
    'pipeline',
    'sockets',
    'build-discovery',
    'build-runtime',
    'load-plan',
    'options',
  ];
  assertNone(
    sources.flatMap((source) => {
      if (!STAGES.includes(folderOf(source.path))) return [];
      return source.imports.flatMap((entry) => {
        const target = targetOf(source, entry);
        if (target === null || entry.isTypeOnly) return [];
        const isAround = around.includes(folderOf(target));
        const isRoot = composition.some((name) => target === `${name}.ts`);
        return isAround || isRoot ? [`${source.path} imports ${target}`] : [];
      });
    }),
  );
});

test('common ground is really shared, and imports nothing of a stage itself', () => {
  for (const path of Object.keys(COMMON_GROUND)) {
    const source = sources.find((candidate) => candidate.path === path);
    assert.ok(source !== undefined, `${path} is gone: take it off the list`);
    for (const entry of source.imports) {
      const target = targetOf(source, entry);
      assert.ok(
        target === null || entry.isTypeOnly || target in COMMON_GROUND,
        `${path}: ${entry.specifier}`,
      );
    }
    const users = sources.filter((user) =>
      user.imports.some((entry) => !entry.isTypeOnly && targetOf(user, entry) === path),
    );
    assert.ok(
      users.some((user) => folderOf(user.path) !== folderOf(path)),
      `${path} is used by its own stage alone: take it off the list`,
    );
  }
});

test('each foreign library is imported in its home only, and every one has a home', () => {
  assertNone(
    sources.flatMap((source) =>
      source.imports.flatMap(({ specifier }) => {
        if (specifier.startsWith('.') || isBuiltin(specifier)) return [];
        const home = HOMES[packageOf(specifier)];
        if (home === undefined) return [`${source.path} imports ${specifier}, which has no home`];
        const isHome = home.endsWith('/') ? source.path.startsWith(home) : source.path === home;
        return isHome ? [] : [`${source.path} imports ${specifier}, whose home is ${home}`];
      }),
    ),
  );
});

test('every dependency of package.json has a home and is imported there', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, '..', 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const imported = new Set(
    sources.flatMap(({ imports }) => imports.map(({ specifier }) => packageOf(specifier))),
  );
  assert.deepEqual(Object.keys(dependencies).sort(), Object.keys(HOMES).sort());
  for (const name of Object.keys(HOMES))
    assert.ok(imported.has(name), `${name} is imported nowhere`);
});

test('relative imports name a file that exists, with its ending', () => {
  const known = new Set(sources.map(({ path }) => path));
  assertNone(
    sources.flatMap((source) =>
      source.imports.flatMap((entry) => {
        const target = targetOf(source, entry);
        return target === null || known.has(target)
          ? []
          : [`${source.path} imports ${entry.specifier}`];
      }),
    ),
  );
});

test('built-in modules are imported as node:', () => {
  assertNone(
    sources.flatMap(({ path, imports }) =>
      imports
        .filter(({ specifier }) => builtinModules.includes(specifier))
        .map(({ specifier }) => `${path} imports ${specifier}`),
    ),
  );
});

test(`no file is over ${MAX_LINES} lines without a reason`, () => {
  assertNone(
    sources
      .filter(({ path, lines }) => lines > MAX_LINES && !(path in LONG_FILES))
      .map(({ path, lines }) => `${path} has ${lines} lines`),
  );
});

test('file and folder names are kebab-case, and none says nothing', () => {
  const forbidden = /^(?:utils?|helpers?|misc|common|shared|types|index)\.ts$/;
  assertNone(
    sources
      .map(({ path }) => path)
      .filter((path) => {
        const isKebab = path
          .split('/')
          .every((part) => /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.ts)?$/.test(part));
        const isResourceCommon = path === 'resources/kinds/common.ts';
        return (
          !isKebab || !path.endsWith('.ts') || (forbidden.test(basename(path)) && !isResourceCommon)
        );
      }),
  );
});

test('no any, console, default export, enum, namespace, non-null assertion or unfinished mark', () => {
  assertNone(
    sources.flatMap(({ path, findings }) => findings.map((finding) => `${path}: ${finding}`)),
  );
});

test('no two files import each other at run time, over however many steps', () => {
  const graph = new Map(
    sources.map((source) => [
      source.path,
      source.imports.flatMap((entry) => {
        const target = targetOf(source, entry);
        return target === null || entry.isTypeOnly ? [] : [target];
      }),
    ]),
  );
  const done = new Set<string>();
  const findCycle = (path: string, way: readonly string[]): string[] => {
    if (way.includes(path)) return [[...way.slice(way.indexOf(path)), path].join(' -> ')];
    if (done.has(path)) return [];
    const found = (graph.get(path) ?? []).flatMap((next) => findCycle(next, [...way, path]));
    done.add(path);
    return found;
  };
  assertNone([...graph.keys()].flatMap((path) => findCycle(path, [])));
});

describe('the checks see what they look for', () => {
  const rows: readonly [code: string, finding: RegExp][] = [
    ['let x: any;', /any in line 1/],
    ['const f = (x: unknown) => (x as any).y;', /any/],
    ["\nconsole.log('x');", /console in line 2/],
    ['globalThis.console.log(1)', /console/],
    ['export default 1;', /export default/],
    ['export default function f() {}', /export default/],
    ['enum A { b }', /enum/],
    ['const x = y!;', /non-null/],
    ['// TODO', /unfinished/],
    ["export * from './a.ts'", /export \*/],
    ['await import(name)', /computed/],
  ];
  for (const [code, finding] of rows) {
    test(code.trim(), () => assert.match(parse('x.ts', code).findings.join('\n'), finding));
  }
  test('what is no finding', () => {
    const code =
      'const any = 1; switch (any) { default: } // any console\nconst t = "console: any";';
    assert.deepEqual(parse('x.ts', code).findings, []);
  });
  const imports: readonly [code: string, Import][] = [
    ["import { a } from './b.ts'", { specifier: './b.ts', isTypeOnly: false }],
    ["import type { a } from './b.ts'", { specifier: './b.ts', isTypeOnly: true }],
    ["import { type a } from './b.ts'", { specifier: './b.ts', isTypeOnly: true }],
    ["import { type a, b } from './b.ts'", { specifier: './b.ts', isTypeOnly: false }],
    ["import a, { type b } from './b.ts'", { specifier: './b.ts', isTypeOnly: false }],
    ["import './b.ts'", { specifier: './b.ts', isTypeOnly: false }],
    ["export { a } from './b.ts'", { specifier: './b.ts', isTypeOnly: false }],
    ["await import('./b.ts')", { specifier: './b.ts', isTypeOnly: false }],
  ];
  for (const [code, expected] of imports) {
    test(code, () => assert.deepEqual(parse('x.ts', code).imports, [expected]));
  }
});
