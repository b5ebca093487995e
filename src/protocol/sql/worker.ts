/**
 * Owns the parser's thread: loads libpg_query, answers one request at a time. What it cannot answer for sure it
 * answers with `broken`, and its host replaces it. Must never hold state from one request to the next.
 */

import { parentPort, workerData } from 'node:worker_threads';
import {
  fingerprintSync,
  hasSqlDetails,
  loadModule,
  parsePlPgSQLSync,
  parseSync,
  SqlError,
} from 'libpg-query';
import { analyseText, type Parser, SyntaxProblem } from './analyse-text.ts';
import type { WorkerOptions, WorkerReply, WorkerRequest } from './parser-pool.ts';
import { loadSecondOpinion, type SecondOpinion } from './second-opinion.ts';

/** Syntax errors are values; anything else thrown means that the instance may be damaged (its memory is not freed). */
function orSyntaxProblem<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const isSyntax = error instanceof SqlError || hasSqlDetails(error);
    if (isSyntax && !/out of memory/i.test(error.message)) throw new SyntaxProblem(error.message);
    throw error;
  }
}

const parser: Parser = {
  parse: (text) => orSyntaxProblem(() => parseSync(text)),
  fingerprint(text) {
    // Errors come back as text here: only what has the form of a fingerprint is one.
    const fingerprint = orSyntaxProblem(() => fingerprintSync(text));
    return /^[0-9a-f]{16}$/.test(fingerprint) ? fingerprint : '';
  },
  plpgsql(text) {
    try {
      return orSyntaxProblem(() => parsePlPgSQLSync(text));
    } catch (error) {
      if (error instanceof SyntaxProblem) return null;
      throw error;
    }
  },
};

async function main(): Promise<void> {
  const port = parentPort;
  if (!port) return;
  const { crossCheck } = workerData as WorkerOptions;
  await loadModule();
  const secondOpinion: SecondOpinion | null = crossCheck ? await loadSecondOpinion() : null;
  const reply = (message: WorkerReply): void => port.postMessage(message);
  port.on('message', ({ text, flags }: WorkerRequest) => {
    try {
      const analysis = analyseText(text, flags, parser);
      reply({ analysis: secondOpinion ? secondOpinion(analysis) : analysis });
    } catch (error) {
      reply({ broken: error instanceof Error ? error.message : 'unknown' });
    }
  });
  reply({ ready: true });
}

await main();
