/** The analyser on its real worker: hostile texts, bounds, memory of what was asked. */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { createSqlAnalyser } from '../../../src/protocol/sql/analyser.ts';
import type { SqlAnalyser } from '../../../src/protocol/sql/analysis.ts';

let analyser: SqlAnalyser;
const replaced: string[] = [];
beforeAll(async () => {
  analyser = createSqlAnalyser({ onReplaced: (reason) => replaced.push(reason) });
  await analyser.analyse('SELECT 1');
});
afterAll(() => analyser.close());

/** Threads lost to the parser's stack; on a slow machine the deadline may come first. */
const overflows = (): number => replaced.filter((reason) => !reason.startsWith('recycled')).length;

const nested = (depth: number): string => `${'/*'.repeat(depth)}${'*/'.repeat(depth)} SELECT 1`;

describe('empty texts', () => {
  it.each(['', ' \n\t', ';', ';;;', '-- nothing', '/* nothing */', '--\n/**/;'])(
    '%j has no statements',
    async (text) => {
      expect(await analyser.analyse(text)).toEqual({
        text,
        fingerprint: '',
        statements: [],
        flags: [],
        error: null,
      });
    },
  );
});

describe('what is refused before it is parsed', () => {
  it('is text with a NUL', async () => {
    expect(await analyser.analyse('SELECT 1\0; DROP TABLE users')).toMatchObject({
      statements: [],
      flags: ['nul_byte'],
      error: { code: 'sql_encoding' },
    });
  });

  it('is text with half a surrogate pair', async () => {
    expect((await analyser.analyse("SELECT '\ud800'")).error?.code).toBe('sql_encoding');
    expect((await analyser.analyse("SELECT '\u{1f600}'")).error).toBeNull();
  });

  it('is text over the bound, counted in octets', async () => {
    const text = (size: number): string => `SELECT '${'é'.repeat((size - 10) / 2)}'`;
    expect((await analyser.analyse(text(LIMITS.sqlText))).error).toBeNull();
    expect((await analyser.analyse(text(LIMITS.sqlText + 2))).error?.code).toBe('sql_too_large');
  });

  it('is text with comments nested too deep', async () => {
    expect((await analyser.analyse(nested(LIMITS.sqlCommentDepth))).error).toBeNull();
    expect((await analyser.analyse(nested(LIMITS.sqlCommentDepth + 1))).error?.code).toBe('sql_too_large');
    expect((await analyser.analyse(`SELECT '${nested(500)}'`)).error).toBeNull();
  });

  it('is text with too many statements', async () => {
    expect((await analyser.analyse('SELECT 1;'.repeat(LIMITS.sqlStatements))).statements).toHaveLength(
      LIMITS.sqlStatements,
    );
    expect((await analyser.analyse('SELECT 1;'.repeat(LIMITS.sqlStatements + 1))).error?.code).toBe(
      'sql_too_large',
    );
  });
});

describe('texts that do not parse', () => {
  it.each([
    'SELEC',
    "SELECT 'unterminated",
    'SELECT 1 FROM',
    'IDENTIFY_SYSTEM',
    'SELECT 1; SELEC',
    '/* unclosed',
  ])('%j is refused as such', async (text) => {
    expect(await analyser.analyse(text)).toMatchObject({
      statements: [],
      fingerprint: '',
      error: { code: 'sql_unparseable' },
    });
  });
});

describe('hostile texts', () => {
  // Each is either read, or refused; never an exception, never a text that passes unread.
  it.each<[string, string, boolean]>([
    ['20,000 terms', `SELECT ${'1+'.repeat(20_000)}(SELECT pw FROM users LIMIT 1)`, true],
    ['500,000 terms', `SELECT ${'1+'.repeat(500_000)}1`, false],
    ['5,000 parentheses', `SELECT ${'('.repeat(5_000)}1${')'.repeat(5_000)}`, true],
    ['100,000 parentheses', `SELECT ${'('.repeat(100_000)}1${')'.repeat(100_000)}`, false],
    ['20,000 NOT', `SELECT ${'NOT '.repeat(20_000)}true`, false],
    ['2,000 arms of UNION', `SELECT 1 ${'UNION SELECT 1 '.repeat(2_000)}`, true],
    ['3,000 nested sub-selects', `SELECT ${'(SELECT '.repeat(3_000)}1${')'.repeat(3_000)}`, true],
    ['20,000 nested sub-selects', `SELECT ${'(SELECT '.repeat(20_000)}1${')'.repeat(20_000)}`, false],
    ['2,000 nested CTEs', `${'WITH a AS ('.repeat(2_000)}SELECT 1${') SELECT * FROM a'.repeat(2_000)}`, true],
    [
      '2,000 CTEs',
      `WITH ${Array.from({ length: 2_000 }, (_, i) => `c${i} AS (SELECT 1)`).join()} SELECT * FROM c7`,
      true,
    ],
    [
      '2,000 joins',
      `SELECT 1 FROM a${Array.from({ length: 2_000 }, (_, i) => ` JOIN b${i} USING (id)`).join('')}`,
      true,
    ],
    [
      '5,000 conditions',
      `SELECT * FROM t WHERE ${Array.from({ length: 5_000 }, (_, i) => `a <> ${i}`).join(' OR ')}`,
      true,
    ],
  ])('%s', async (_name, text, readable) => {
    const start = performance.now();
    const analysis = await analyser.analyse(text);
    expect(performance.now() - start).toBeLessThan(LIMITS.sqlParseDeadline + LIMITS.sqlParserStart);
    if (!readable) expect(analysis.error).not.toBeNull();
    if (analysis.error) expect(['sql_too_large', 'sql_unparseable']).toContain(analysis.error.code);
    else expect(analysis.statements).toHaveLength(1);
    expect((await analyser.analyse(`SELECT ${performance.now()} FROM t`)).statements[0]?.facts.reads).toEqual(
      [{ schema: null, name: 't' }],
    );
  });

  it('finds what is at the end of a deep expression', async () => {
    const analysis = await analyser.analyse(`SELECT ${'1+'.repeat(5_000)}(SELECT pw FROM users LIMIT 1)`);
    expect(analysis.statements[0]?.facts.reads).toEqual([{ schema: null, name: 'users' }]);
  });

  it('costs only its thread, time after time, when the parser’s own stack overflows', async () => {
    const before = overflows();
    for (let round = 0; round < 3; round += 1) {
      const killer = `SELECT ${round}${'+1'.repeat(500_000)}`;
      const [killed, other] = await Promise.all([
        analyser.analyse(killer),
        analyser.analyse(`SELECT ${round} FROM u`),
      ]);
      expect(killed.error?.code).toBe('sql_too_large');
      expect(other.error).toBeNull();
      expect(other.flags).toContain('no_where');
    }
    expect(overflows() - before).toBe(3);
  });
});

describe('any text', () => {
  it('gets an analysis that is read or refused, and never both', async () => {
    const words = fc.constantFrom(
      ...`SELECT FROM WHERE users WITH AS ( ) , ; * ' " $$ $1 /* */ -- E' U&" DELETE INSERT INTO VALUES UNION ALL LIMIT 1
      = . :: AND OR NOT IN EXISTS CREATE TABLE DROP COPY TO STDOUT EXPLAIN ANALYZE DO BEGIN END RETURNING u`.split(
        /\s+/,
      ),
    );
    const soup = fc.array(words, { maxLength: 30 }).map((list) => list.join(' '));
    await fc.assert(
      fc.asyncProperty(fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 80 })), async (text) => {
        const analysis = await analyser.analyse(text);
        expect(analysis.text).toBe(text);
        if (analysis.error) expect(analysis.statements).toEqual([]);
        for (const { facts } of analysis.statements) {
          expect(facts.flags).not.toContain('opaque');
          for (const flag of facts.flags) expect(analysis.flags).toContain(flag);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('what was asked before', () => {
  it('is remembered by its exact text', async () => {
    expect(analyser.cached('SELECT 41')).toBeNull();
    const analysis = await analyser.analyse('SELECT 41');
    expect(analyser.cached('SELECT 41')).toBe(analysis);
    expect(analyser.cached('SELECT 41 ')).toBeNull();
    expect(await analyser.analyse('SELECT 41')).toBe(analysis);
  });

  it('is asked once by all that ask at the same time', async () => {
    const [first, second] = await Promise.all([analyser.analyse('SELECT 42'), analyser.analyse('SELECT 42')]);
    expect(first).toBe(second);
  });

  it('is forgotten from the oldest on, and never kept when large', async () => {
    const large = `SELECT '${'x'.repeat(LIMITS.sqlCacheText)}'`;
    await analyser.analyse(large);
    expect(analyser.cached(large)).toBeNull();
    await analyser.analyse('SELECT 43');
    const fillers = Array.from({ length: LIMITS.sqlCacheEntries - 1 }, (_, index) => `;-- ${index}`);
    await Promise.all(fillers.map((text) => analyser.analyse(text)));
    expect(analyser.cached('SELECT 43')).not.toBeNull();
    await Promise.all(
      [...fillers.map((text) => `${text}.`), 'SELECT 44'].map((text) => analyser.analyse(text)),
    );
    expect(analyser.cached('SELECT 43')).toBeNull();
  });

  it('is not remembered when it was refused for want of time', async () => {
    const hurried = createSqlAnalyser({ deadline: 1 });
    const text = `SELECT ${'1+'.repeat(20_000)}1`;
    expect((await hurried.analyse(text)).error?.code).toBe('sql_too_large');
    expect(hurried.cached(text)).toBeNull();
    await hurried.close();
  });
});

describe('the second opinion', () => {
  it('is asked where configured, and changes nothing where both agree', async () => {
    const cautious = createSqlAnalyser({ crossCheck: true });
    const analysis = await cautious.analyse(
      'WITH x AS (SELECT * FROM a) SELECT * FROM x JOIN "B" b ON b.id = x.id',
    );
    expect(analysis.flags).not.toContain('parser_disagreement');
    expect(analysis.error).toBeNull();
    await cautious.close();
  });
});
