import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CATALOGUE, Fault, ProtocolError } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { refusal, refusalFrom } from '../../src/core/refusal.ts';

const SRC = resolve(import.meta.dirname, '../../src');
const code = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(SRC, file), 'utf8') }));

describe('the catalogue', () => {
  it.each(Object.entries(CATALOGUE))('%s says what it is and what to do next', (_code, entry) => {
    expect(entry.status).toBeGreaterThanOrEqual(400);
    expect(entry.status).toBeLessThan(600);
    expect(entry.sqlstate).toMatch(/^[0-9A-Z]{5}$/);
    expect(entry.grpc).toBeGreaterThan(0);
    expect(entry.grpc).toBeLessThan(17);
    expect(entry.title).toMatch(/\S/);
    expect(entry.remedy).toMatch(/[.?]$/);
  });

  it('has no code that nothing uses', () => {
    const elsewhere = code.filter(({ file }) => file !== 'core/errors.ts');
    const unused = Object.keys(CATALOGUE).filter(
      (name) => !elsewhere.some(({ text }) => text.includes(`'${name}'`) || text.includes(`.${name}`)),
    );
    expect(unused).toEqual([]);
  });
});

describe('the bounds', () => {
  it('are positive whole numbers', () => {
    for (const [name, value] of Object.entries(LIMITS)) {
      expect(Number.isSafeInteger(value) && value > 0, name).toBe(true);
    }
  });

  it('are all in force somewhere', () => {
    const unused = Object.keys(LIMITS).filter(
      (name) => !code.some(({ file, text }) => file !== 'core/limits.ts' && text.includes(`LIMITS.${name}`)),
    );
    expect(unused).toEqual([]);
  });
});

describe('a refusal', () => {
  it('carries the words of what we foresaw', () => {
    expect(refusalFrom(new Fault('store_unavailable', 'the disk is gone'))).toMatchObject({
      code: 'store_unavailable',
      reason: 'the disk is gone',
    });
    expect(refusalFrom(new ProtocolError('request_malformed', 'no host')).code).toBe('request_malformed');
  });

  it('never carries the words of what we did not', () => {
    const refused = refusalFrom(new Error('password=hunter2 in /etc/secret'));
    expect(refused).toMatchObject({ code: 'internal', reason: CATALOGUE.internal.title });
  });

  it('keeps its code whatever else is given', () => {
    expect(refusal('draining', 'stopping', { ticket: 'HP-00000000' })).toMatchObject({
      code: 'draining',
      ticket: 'HP-00000000',
      retryAfter: null,
    });
  });
});
