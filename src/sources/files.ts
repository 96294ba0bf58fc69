/** The `-f` arguments as texts: files, directories, and `-` for standard input. */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import type { SourceText } from '../resources/load.ts';
import type { Problem } from '../resources/problem.ts';
import type { Bytes } from '../units.ts';
import {
  explainFileError,
  fileProblem,
  listFiles,
  stdinPath,
  type FileListing,
  type SourceFile,
} from './list-files.ts';

/** Bounds of what is read. */
export const fileLimits: { readonly maxFileBytes: Bytes; readonly maxTotalBytes: Bytes } =
  Object.freeze({ maxFileBytes: 4 * 1024 * 1024, maxTotalBytes: 64 * 1024 * 1024 });

export interface SourcesRead {
  readonly texts: readonly SourceText[];
  /** Paths that do not exist, can't be read, are too large or not UTF-8. */
  readonly problems: readonly Problem[];
  /** What watchSources needs to notice changes since this reading. */
  readonly fingerprint: string;
}

export interface SourceReader {
  /** Reads everything again; standard input is read the first time and remembered. */
  read(): Promise<SourcesRead>;
}

const notAFile = 'must be a file or a directory; use - for standard input';

/** How often a reading is repeated because files changed meanwhile. */
const maxAttempts = 3;

/**
 * Makes a reader of `-f` arguments.
 *
 * @param paths files, directories (recursive), or `-` for standard input, at least one
 * @param stdin where `-` reads from
 */
export function createSourceReader(
  paths: readonly string[],
  stdin: AsyncIterable<Uint8Array | string>,
): SourceReader {
  let stdinText: Promise<string | Problem> | null = null;

  const readOnce = async (listing: FileListing): Promise<SourcesRead> => {
    const texts: SourceText[] = [];
    const problems: Problem[] = [...listing.problems];
    const budget = { bytes: fileLimits.maxTotalBytes };
    const take = (file: string, read: string | Problem): void => {
      if (typeof read === 'string') texts.push({ file, text: read });
      else problems.push(read);
    };
    if (paths.includes(stdinPath)) {
      stdinText ??= readStdin(stdin);
      take('<stdin>', await stdinText);
    }
    for (const file of listing.files) take(file.path, await readFile(file, budget));
    return { texts, problems, fingerprint: listing.fingerprint };
  };

  return {
    async read() {
      // A ConfigMap's files change together: a reading that saw half of a change is repeated.
      let listing = await listFiles(paths);
      for (let attempt = 1; ; attempt += 1) {
        const result = await readOnce(listing);
        const after = await listFiles(paths);
        if (after.fingerprint === listing.fingerprint || attempt >= maxAttempts) return result;
        listing = after;
      }
    },
  };
}

async function readFile({ path }: SourceFile, budget: { bytes: Bytes }): Promise<string | Problem> {
  try {
    // What was a file when it was listed may be a pipe by now, whose opening would wait for a writer.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const status = await handle.stat();
      if (!status.isFile()) return fileProblem(path, notAFile);
      const { size } = status;
      if (size > fileLimits.maxFileBytes)
        return fileProblem(path, tooLarge(fileLimits.maxFileBytes));
      const buffer = Buffer.allocUnsafe(size + 1);
      let length = 0;
      while (length < buffer.length) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      budget.bytes -= length;
      if (budget.bytes < 0) {
        const total = `${String(fileLimits.maxTotalBytes)} bytes`;
        return fileProblem(path, `is not read: all files together may have at most ${total}`);
      }
      return decode(path, buffer.subarray(0, length));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return fileProblem(path, explainFileError(error));
  }
}

async function readStdin(stdin: AsyncIterable<Uint8Array | string>): Promise<string | Problem> {
  const file = '<stdin>';
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of stdin) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length > fileLimits.maxFileBytes)
        return fileProblem(file, tooLarge(fileLimits.maxFileBytes));
      chunks.push(bytes);
    }
  } catch (error) {
    return fileProblem(file, explainFileError(error));
  }
  return decode(file, Buffer.concat(chunks));
}

function tooLarge(maxBytes: Bytes): string {
  return `is too large; at most ${String(maxBytes)} bytes are read`;
}

function decode(path: string, bytes: Buffer): string | Problem {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return fileProblem(path, 'must be UTF-8 text');
  }
}
