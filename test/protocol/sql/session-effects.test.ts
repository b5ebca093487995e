import { beforeAll, describe, expect, it } from 'vitest';
import { analyseText, type Parser } from '../../../src/protocol/sql/analyse-text.ts';
import type { SessionEffect } from '../../../src/protocol/sql/analysis.ts';
import { loadParser } from '../../../src/protocol/sql/libpg-parser.ts';

let parser: Parser;
beforeAll(async () => {
  parser = await loadParser();
});

const effects = (text: string): readonly SessionEffect[] =>
  analyseText(text, [], parser).statements.flatMap((statement) => statement.effects);

const set = (name: string, value: string[] | null, local = false): SessionEffect => ({
  kind: 'set',
  name,
  value,
  local,
});

describe('what a statement does to its session', () => {
  it.each<[string, SessionEffect[]]>([
    ['SELECT 1', []],
    ['SET search_path = a, "B"', [set('search_path', ['a', 'B'])]],
    ['SET LOCAL "Search_Path" TO a', [set('search_path', ['a'], true)]],
    ["SET SCHEMA 'a'", [set('search_path', ['a'])]],
    ['SET search_path TO DEFAULT', [set('search_path', null)]],
    ['RESET search_path', [set('search_path', null)]],
    ['RESET ALL', [set('*', null)]],
    ['SET statement_timeout = 5000', [set('statement_timeout', ['5000'])]],
    ['SET SESSION AUTHORIZATION bob', [set('session_authorization', ['bob'])]],
    ['SET ROLE NONE', [set('role', ['none'])]],
    ["SELECT set_config('Search_Path', 'a', true)", [set('search_path', ['a'], true)]],
    ["SELECT set_config('search_path', $1, false)", [set('search_path', [])]],
    ["SELECT set_config('search' || '_path', 'a', false)", [set('?', ['a'])]],
    ["WITH x AS (SELECT pg_catalog.set_config('role', 'a', false)) SELECT 1", [set('role', [])]],
    ["UPDATE pg_settings SET setting = 'a' WHERE name = 'search_path'", [set('?', [])]],
    ["UPDATE pg_catalog.pg_settings SET setting = 'a'", [set('?', [])]],
    ['ALTER ROLE bob SET search_path = a', []],
    ['CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = a AS $$SELECT 1$$', []],
    ['EXECUTE p(1)', [{ kind: 'execute', name: 'p' }]],
    ['CREATE TABLE x AS EXECUTE p', [{ kind: 'execute', name: 'p' }]],
    ['EXPLAIN ANALYZE EXECUTE "P"', [{ kind: 'execute', name: 'P' }]],
    ['DEALLOCATE p', [{ kind: 'deallocate', name: 'p' }]],
    ['DEALLOCATE PREPARE ALL', [{ kind: 'deallocate', name: null }]],
    ['FETCH 10 FROM c', [{ kind: 'fetch', cursor: 'c', count: 10 }]],
    ['FETCH c', [{ kind: 'fetch', cursor: 'c', count: 1 }]],
    ['FETCH ALL c', [{ kind: 'fetch', cursor: 'c', count: null }]],
    ['MOVE BACKWARD ALL IN c', [{ kind: 'fetch', cursor: 'c', count: null }]],
    ['CLOSE c', [{ kind: 'close', cursor: 'c' }]],
    ['CLOSE ALL', [{ kind: 'close', cursor: null }]],
    ['DISCARD ALL', [{ kind: 'discard', what: 'all' }]],
    ['DISCARD PLANS', [{ kind: 'discard', what: 'plans' }]],
    ['DISCARD SEQUENCES', [{ kind: 'discard', what: 'sequences' }]],
    ['DISCARD TEMPORARY', [{ kind: 'discard', what: 'temp' }]],
    ['BEGIN', [{ kind: 'transaction', what: 'begin' }]],
    ['START TRANSACTION', [{ kind: 'transaction', what: 'begin' }]],
    ['END', [{ kind: 'transaction', what: 'commit' }]],
    ['ABORT', [{ kind: 'transaction', what: 'rollback' }]],
    ['SAVEPOINT a', [{ kind: 'transaction', what: 'savepoint' }]],
    ['RELEASE a', [{ kind: 'transaction', what: 'release' }]],
    ['ROLLBACK TO SAVEPOINT a', [{ kind: 'transaction', what: 'rollback_to' }]],
    ["PREPARE TRANSACTION 'x'", [{ kind: 'transaction', what: 'prepare' }]],
    ["COMMIT PREPARED 'x'", []],
  ])('%s', (text, expected) => {
    expect(effects(text)).toEqual(expected);
  });

  it('gives the facts of a statement that is prepared, for when it is executed', () => {
    expect(effects('PREPARE p(int) AS DELETE FROM users WHERE id = $1')).toMatchObject([
      {
        kind: 'prepare',
        name: 'p',
        prepared: [{ node: 'DeleteStmt', writes: [{ name: 'users' }], flags: ['has_where'] }],
      },
    ]);
  });

  it('gives the facts of a cursor’s query, for when it is fetched from', () => {
    expect(effects('DECLARE c CURSOR WITH HOLD FOR SELECT * FROM users')).toMatchObject([
      {
        kind: 'declare',
        cursor: 'c',
        hold: true,
        query: [{ node: 'SelectStmt', reads: [{ name: 'users' }] }],
      },
    ]);
  });

  it('counts the parameters that it takes, and not those of what it prepares', () => {
    const parameters = (text: string): number | undefined =>
      analyseText(text, [], parser).statements[0]?.parameters;
    expect(parameters('SELECT $2 WHERE $1')).toBe(2);
    expect(parameters('SELECT 1')).toBe(0);
    expect(parameters('PREPARE p AS SELECT $7')).toBe(0);
  });
});
