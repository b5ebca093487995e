/**
 * Owns the analyser: what is refused before parsing, what is remembered, and who waits for whom. Texts are remembered
 * exactly as they came. Must never call a text harmless that was not read whole.
 */

import { LIMITS } from '../../core/limits.ts';
import { failed, type SqlAnalyser, type SqlAnalysis } from './analysis.ts';
import { readLexically } from './lexical.ts';
import { createParserPool, type PoolOptions, poolDefaults } from './parser-pool.ts';

/** `crossCheck`: false, `deadline`: LIMITS.sqlParseDeadline, `onReplaced`: nothing, where not given. */
export function createSqlAnalyser(options: Partial<PoolOptions> = {}): SqlAnalyser {
  const pool = createParserPool({ ...poolDefaults(), ...options });
  const remembered = new Remembered();
  const underway = new Map<string, Promise<SqlAnalysis>>();

  async function run(text: string): Promise<SqlAnalysis> {
    const lexical = readLexically(text);
    const refused = refuse(text, lexical.commentDepth, lexical.flags);
    const analysis = refused ?? (await pool.analyse({ text, flags: lexical.flags }));
    // What went wrong for lack of time or memory may go right another time.
    if (analysis.error === null || analysis.error.code === 'sql_unparseable') remembered.put(text, analysis);
    return analysis;
  }

  return {
    analyse(text) {
      const known = remembered.get(text);
      if (known) return Promise.resolve(known);
      const waiting = underway.get(text);
      if (waiting) return waiting;
      const started = run(text).finally(() => underway.delete(text));
      underway.set(text, started);
      return started;
    },
    cached: (text) => remembered.get(text),
    close: () => pool.close(),
  };
}

function refuse(text: string, commentDepth: number, flags: readonly string[]): SqlAnalysis | null {
  if (flags.includes('nul_byte')) {
    return failed(text, flags, 'sql_encoding', 'the statement contains a NUL character');
  }
  // Half a surrogate pair has no UTF-8: the parser would read another character than was sent.
  if (/\p{Surrogate}/u.test(text)) {
    return failed(text, flags, 'sql_encoding', 'the statement is not well-formed Unicode');
  }
  if (Buffer.byteLength(text) > LIMITS.sqlText) {
    return failed(text, flags, 'sql_too_large', `the statement is over ${LIMITS.sqlText} octets`);
  }
  if (commentDepth > LIMITS.sqlCommentDepth) {
    return failed(text, flags, 'sql_too_large', `comments are nested over ${LIMITS.sqlCommentDepth} deep`);
  }
  return null;
}

/** Analyses by exact text; the least recently used goes first. */
class Remembered {
  readonly #entries = new Map<string, SqlAnalysis>();

  get(text: string): SqlAnalysis | null {
    const analysis = this.#entries.get(text);
    if (!analysis) return null;
    this.#entries.delete(text);
    this.#entries.set(text, analysis);
    return analysis;
  }

  put(text: string, analysis: SqlAnalysis): void {
    if (Buffer.byteLength(text) > LIMITS.sqlCacheText) return;
    this.#entries.set(text, analysis);
    if (this.#entries.size <= LIMITS.sqlCacheEntries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}
