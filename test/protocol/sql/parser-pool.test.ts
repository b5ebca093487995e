/** The pool with a stand-in for the worker: every way to lose a thread, on demand. */

import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { SqlAnalysis } from '../../../src/protocol/sql/analysis.ts';
import {
  createParserPool,
  type ParserPool,
  type PoolOptions,
} from '../../../src/protocol/sql/parser-pool.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));

/** Long enough for an honest answer on a busy machine. */
const DEADLINE = 500;

let pool: ParserPool | null = null;
afterEach(async () => {
  await pool?.close();
  pool = null;
});

function open(options: Partial<PoolOptions> = {}): { pool: ParserPool; replaced: string[] } {
  const replaced: string[] = [];
  pool = createParserPool({
    crossCheck: false,
    deadline: DEADLINE,
    startDeadline: 20_000,
    entry: fixture('worker-stand-in.mjs'),
    onReplaced: (reason) => replaced.push(reason),
    ...options,
  });
  return { pool, replaced };
}

const ask = (target: ParserPool, text: string): Promise<SqlAnalysis> =>
  target.analyse({ text, flags: ['asked'] });

describe('the parser pool', () => {
  it.each([
    ['hang', `over the deadline of ${DEADLINE} ms`],
    ['throw', 'thrown'],
    ['exit', 'the thread ended'],
    ['broken', 'memory access out of bounds'],
  ])(
    'replaces a thread lost to %s, refuses its text, and answers the ones behind it',
    async (killer, reason) => {
      const { pool, replaced } = open();
      const [killed, ...others] = await Promise.all(
        [killer, 'answer 1', 'answer 2'].map((text) => ask(pool, text)),
      );
      expect(killed).toMatchObject({
        text: killer,
        statements: [],
        flags: ['asked'],
        error: { code: 'sql_too_large', message: reason },
      });
      expect(others.map(({ text, error }) => [text, error])).toEqual([
        ['answer 1', null],
        ['answer 2', null],
      ]);
      expect(replaced).toEqual([reason]);
    },
  );

  it('answers every request of a storm once, and allows no killer', async () => {
    const text = fc.constantFrom('answer', 'throw', 'exit', 'broken');
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 12 }), async (texts) => {
        const { pool } = open({ deadline: 20_000 });
        const answers = await Promise.all(texts.map((one, index) => ask(pool, `${one} ${index}`)));
        await pool.close();
        expect(answers.map((answer) => answer.text)).toEqual(texts.map((one, index) => `${one} ${index}`));
        expect(answers.map(({ error }) => error?.code ?? 'answer')).toEqual(
          texts.map((one) => (one === 'answer' ? 'answer' : 'sql_too_large')),
        );
      }),
      { numRuns: 8 },
    );
  });

  it('answers a large text, and then gives back the memory that it took', async () => {
    const { pool, replaced } = open();
    const large = `answer ${'x'.repeat(256 * 1024)}`;
    expect(await ask(pool, large)).toMatchObject({ text: large, error: null });
    // Once the spare is ready, which nobody has to wait for.
    while (replaced.length === 0) expect((await ask(pool, 'answer')).error).toBeNull();
    expect(replaced).toEqual(['recycled after a large text']);
    expect((await ask(pool, 'answer')).error).toBeNull();
  });

  it('delays others by no more than the deadline of each that hangs', async () => {
    const { pool } = open();
    await ask(pool, 'answer');
    const start = performance.now();
    await Promise.all(['hang 1', 'hang 2', 'answer'].map((text) => ask(pool, text)));
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(2 * DEADLINE);
    // A spare that is still starting is waited for.
    expect(took).toBeLessThan(2 * (DEADLINE + 5_000));
  });

  it('refuses at once, and does not hang, while the worker does not start', async () => {
    const { pool, replaced } = open({ entry: fixture('worker-that-fails-to-start.mjs') });
    const first = await ask(pool, 'answer');
    expect(first.error).toEqual({ code: 'internal', message: 'the parser does not start' });
    expect(replaced.length).toBeGreaterThanOrEqual(3);
    const starts = replaced.length;
    expect((await ask(pool, 'answer')).error?.code).toBe('internal');
    expect(replaced.length - starts).toBeLessThanOrEqual(1);
  });

  it('gives up a worker that does not get ready in time', async () => {
    const { pool, replaced } = open({ entry: fixture('worker-that-never-starts.mjs'), startDeadline: 50 });
    expect((await ask(pool, 'answer')).error).toEqual({
      code: 'internal',
      message: 'the parser does not start',
    });
    expect(replaced).toEqual(Array(3).fill('the thread did not start'));
  });

  it('refuses what waits when it is closed, and what comes after', async () => {
    const { pool } = open({ deadline: 60_000 });
    const waiting = [ask(pool, 'hang'), ask(pool, 'answer')];
    await pool.close();
    for (const answer of [...(await Promise.all(waiting)), await ask(pool, 'answer')]) {
      expect(answer.error).not.toBeNull();
    }
  });
});
