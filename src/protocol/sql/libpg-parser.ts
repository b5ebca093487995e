/**
 * Owns libpg_query's sharp edges: which of its errors are about the text, and which mean that the instance may be
 * damaged (then they pass through, and whoever runs it must replace it). Loads a WebAssembly module into the thread.
 */

import {
  fingerprintSync,
  hasSqlDetails,
  loadModule,
  parsePlPgSQLSync,
  parseSync,
  SqlError,
} from 'libpg-query';
import { type Parser, SyntaxProblem } from './analyse-text.ts';

export async function loadParser(): Promise<Parser> {
  await loadModule();
  return parser;
}

/** The instance's memory does not shrink again: what comes after such an error is not to be trusted. */
const OUT_OF_MEMORY = /out of memory/i;

/** Syntax errors are values; anything else thrown means that the instance may be damaged (its memory is not freed). */
function orSyntaxProblem<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const isSyntax = error instanceof SqlError || hasSqlDetails(error);
    if (isSyntax && !OUT_OF_MEMORY.test(error.message)) throw new SyntaxProblem(error.message);
    throw error;
  }
}

const parser: Parser = {
  // Empty text is no statement, and nothing that this parser takes.
  parse: (text) => (text === '' ? {} : orSyntaxProblem(() => parseSync(text))),
  fingerprint(text) {
    // Errors come back as text here: only what has the form of a fingerprint is one.
    const fingerprint = orSyntaxProblem(() => fingerprintSync(text));
    return /^[0-9a-f]{16}$/.test(fingerprint) ? fingerprint : '';
  },
  plpgsql(text) {
    try {
      return parsePlPgSQLSync(text);
    } catch (error) {
      // Its errors about the text are plain ones; a damaged instance throws a RangeError, a RuntimeError, an ExitStatus.
      const isPlain = error instanceof Error && error.constructor === Error;
      if (isPlain && !OUT_OF_MEMORY.test(error.message)) return null;
      throw error;
    }
  },
};
