import { beforeAll, describe, expect, it } from 'vitest';
import { analyseText, type Parser } from '../../../src/protocol/sql/analyse-text.ts';
import { withBoundLimit } from '../../../src/protocol/sql/bound-limit.ts';
import { describeSql } from '../../../src/protocol/sql/describe.ts';
import { loadParser } from '../../../src/protocol/sql/libpg-parser.ts';

let parser: Parser;
beforeAll(async () => {
  parser = await loadParser();
});

describe('a statement in plain words', () => {
  it.each([
    ['SELECT * FROM customers WHERE id = 1', 'SELECT reading customers'],
    ['SELECT * FROM customers', 'SELECT reading customers (possibly all rows)'],
    ['DELETE FROM orders', 'DELETE writing orders (without WHERE)'],
    [
      'DELETE FROM orders USING customers c WHERE c.id = orders.cid',
      'DELETE reading customers writing orders',
    ],
    ['DROP TABLE a, s.b', 'DROP TABLE a, s.b'],
    ['ALTER TABLE users ADD COLUMN x int', 'ALTER TABLE users'],
    ['CREATE TABLE x AS SELECT * FROM users', 'CREATE TABLE AS x reading users'],
    ['COPY customers TO STDOUT', 'COPY reading customers (possibly all rows)'],
    ["COPY t FROM PROGRAM 'id'", 'COPY writing t (running a program on the server)'],
    ['WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x LIMIT 1', 'SELECT with DELETE writing a'],
    ['SELECT f()', 'SELECT (running code that the text does not show)'],
    ['SELECT 1 FROM a, b, c, d, e WHERE a.id = 1 LIMIT 1', 'SELECT reading a, b, c and 2 more'],
    ['BEGIN; DROP TABLE x; COMMIT', 'BEGIN; DROP TABLE x; COMMIT'],
    ['SELECT 1; SELECT 2; SELECT 3; SELECT 4; SELECT 5', 'SELECT; SELECT; SELECT; and 2 more statements'],
    ['', 'an empty statement'],
    ['SELEC', 'SQL that cannot be read: syntax error at or near "SELEC"'],
  ])('%s: %s', (text, expected) => {
    expect(describeSql(analyseText(text, [], parser))).toBe(expected);
  });

  it('shortens long names', () => {
    const words = describeSql(
      analyseText(`SELECT 1 FROM "${'x'.repeat(60)}"."${'y'.repeat(60)}" LIMIT 1`, [], parser),
    );
    expect(words).toBe(`SELECT reading ${'x'.repeat(60)}…`);
  });
});

describe('a bound row limit', () => {
  const facts = (text: string, value: string | null) => {
    const statement = analyseText(text, [], parser).statements[0];
    if (!statement) throw new Error('no statement');
    return withBoundLimit(statement, value);
  };

  it('takes bulk export off a query that only lacked a limit', () => {
    expect(facts('SELECT * FROM users LIMIT $1', '10')).toMatchObject({ limit: 10 });
    expect(facts('SELECT * FROM users LIMIT $1', '10').flags).not.toContain('bulk_export');
    expect(facts('SELECT * FROM users LIMIT $1::bigint', '9999').flags).not.toContain('bulk_export');
  });

  it.each([
    ['SELECT * FROM users LIMIT $1', null],
    ['SELECT * FROM users LIMIT $1', '10000'],
    ['SELECT * FROM users LIMIT $1', '-1'],
    ['SELECT * FROM users LIMIT $1', '1e9'],
    ['SELECT * FROM users LIMIT $1 + 1', '10'],
    ['SELECT json_agg(u) FROM users u LIMIT $1', '1'],
    ['SELECT * FROM users FETCH FIRST $1 ROWS ONLY; SELECT * FROM users', '999999'],
  ])('leaves it on %s with %j', (text, value) => {
    expect(facts(text, value).flags).toContain('bulk_export');
  });

  it('says when the value is huge', () => {
    expect(facts('SELECT * FROM users LIMIT $1', '10000').flags).toContain('limit_huge');
  });
});
