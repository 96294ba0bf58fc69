/**
 * YAML and JSON texts to documents of plain data that know their positions. The only folder that knows the
 * `yaml` library.
 *
 * YAML 1.2 core schema (JSON is a part of it): no tags, no merge keys, no dates. Nesting is bounded while
 * the text is read, before anything recurses: close to the end of the stack V8 can abort the process.
 */

import { Composer, Lexer, LineCounter, Parser, type Document } from 'yaml';
import type { FieldPath, Position } from '../problem.ts';
import { locate, type NodeTree } from './locate.ts';
import { toPlainData } from './plain-data.ts';
import { syntaxMessage } from './syntax-messages.ts';

/** Bounds of one text. */
export interface YamlLimits {
  readonly maxDocuments: number;
  /** Levels of lists and mappings. */
  readonly maxDepth: number;
  /** Values of one document, aliases expanded. */
  readonly maxValues: number;
  /** Uses of aliases in one document. */
  readonly maxAliases: number;
  /** Tokens of one text: values, indicators, runs of white space. */
  readonly maxTokens: number;
}

export const yamlLimits: YamlLimits = Object.freeze({
  maxDocuments: 10_000,
  maxDepth: 64,
  maxValues: 200_000,
  maxAliases: 100,
  maxTokens: 1_000_000,
});

/** Something wrong with the text itself. */
export interface SyntaxFault {
  readonly path: FieldPath;
  readonly position: Position;
  readonly message: string;
}

export interface YamlDocument {
  /** Counts the documents of the text from 1, empty ones too. */
  readonly number: number;
  /** Plain JSON data; `undefined` where the document has faults. */
  readonly value: unknown;
  readonly faults: readonly SyntaxFault[];
  /** Where the value at a path starts, or its nearest existing ancestor. */
  position(path: FieldPath): Position;
  /** Where the name of the field at a path starts. */
  keyPosition(path: FieldPath): Position;
}

const maxFaultsPerDocument = 100;

/**
 * Reads a text of any number of YAML documents; JSON is YAML. Documents without a value are left out.
 * Never throws for any text: what is wrong with a document is in its `faults`.
 */
export function readYaml(file: string, text: string, limits = yamlLimits): readonly YamlDocument[] {
  const lines = new LineCounter();
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const composed: Document.Parsed[] = [];
  const stop = compose(text, lines, limits, composed);
  const documents = composed.map((document, index) =>
    readDocument(document, index + 1, positionAt, limits),
  );
  if (stop !== null) {
    const position = positionAt(stop.offset);
    documents.push({
      number: documents.length + 1,
      value: undefined,
      faults: [{ path: [], position, message: stop.message }],
      position: () => position,
      keyPosition: () => position,
    });
  }
  return documents.filter((document) => document.faults.length > 0 || document.value != null);
}

interface Stop {
  readonly offset: number;
  readonly message: string;
}

/** Fills `documents`; gives where and why reading ended before the end of the text, if it did. */
function compose(
  text: string,
  lines: LineCounter,
  limits: YamlLimits,
  documents: Document.Parsed[],
): Stop | null {
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    // Checked while the data is taken over, in linear time.
    uniqueKeys: false,
    strict: true,
    logLevel: 'silent',
  });
  // The stack holds the document, and for each level at most a collection and what it waits for.
  const maxStack = limits.maxDepth + 3;
  lines.addNewLine(0);
  const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  if (control !== null) {
    for (const newline of text.slice(0, control.index).matchAll(/\n/g)) {
      lines.addNewLine(newline.index + 1);
    }
    return { offset: control.index, message: 'holds a control character; remove it' };
  }
  let tokens = 0;
  let errors = 0;
  for (const lexeme of new Lexer().lex(text)) {
    tokens += 1;
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') errors += 1;
      documents.push(...composer.next(token));
    }
    if (tokens > limits.maxTokens || errors > maxFaultsPerDocument) {
      const message =
        errors > maxFaultsPerDocument
          ? 'is not YAML; reading stopped after too many errors'
          : `is too long; at most ${String(limits.maxTokens)} tokens are read`;
      documents.push(...composer.end(false, parser.offset));
      return { offset: parser.offset, message };
    }
    if (parser.stack.length > maxStack) {
      const message = `is nested too deeply; at most ${String(limits.maxDepth)} levels are read`;
      return { offset: parser.offset, message };
    }
    if (documents.length > limits.maxDocuments) break;
  }
  if (documents.length <= limits.maxDocuments) {
    for (const token of parser.end()) documents.push(...composer.next(token));
    documents.push(...composer.end(false, text.length));
  }
  const { maxDocuments } = limits;
  if (documents.length <= maxDocuments) return null;
  documents.length = maxDocuments;
  const message = `has too many documents; at most ${String(maxDocuments)} are read`;
  return { offset: parser.offset, message };
}

function readDocument(
  document: Document.Parsed,
  number: number,
  positionAt: (offset: number) => Position,
  limits: YamlLimits,
): YamlDocument {
  const root = document.contents;
  const start = document.range[0];
  const syntax = [...document.errors, ...document.warnings];
  if (syntax.length > 0) {
    const position = positionAt(start);
    return {
      number,
      value: undefined,
      faults: syntax.slice(0, maxFaultsPerDocument).map((error) => ({
        path: [],
        position: positionAt(error.pos[0]),
        message: syntaxMessage(error.code),
      })),
      position: () => position,
      keyPosition: () => position,
    };
  }
  const plain = toPlainData(root, limits);
  const tree: NodeTree = { root, aliases: plain.aliases };
  const faults = plain.faults.slice(0, maxFaultsPerDocument).map((fault) => ({
    path: fault.path,
    position: positionAt(fault.offset ?? start),
    message: fault.message,
  }));
  return {
    number,
    value: faults.length > 0 ? undefined : plain.value,
    faults,
    position: (path) => positionAt(locate(tree, path).value ?? start),
    keyPosition: (path) => positionAt(locate(tree, path).key ?? start),
  };
}
