/** Which settings a statement changes, as policy is told. Unknown is said by saying nothing. */

import { beforeAll, describe, expect, it } from 'vitest';
import { analyseText, type Parser } from '../../../src/protocol/sql/analyse-text.ts';
import { loadParser } from '../../../src/protocol/sql/libpg-parser.ts';

let parser: Parser;
beforeAll(async () => {
  parser = await loadParser();
});

describe('the settings that a statement changes', () => {
  it.each<[string, string[] | undefined]>([
    ['SELECT 1', undefined],
    ["SET application_name = 'x'", ['application_name']],
    ['SET LOCAL Statement_Timeout = 5', ['statement_timeout']],
    ["SET TIME ZONE 'UTC'", ['timezone']],
    ["SET NAMES 'utf8'", ['client_encoding']],
    ['RESET jit', ['jit']],
    ['RESET ALL', ['*']],
    ['SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', ['transaction_isolation']],
    ['SET TRANSACTION READ ONLY, DEFERRABLE', ['transaction_read_only', 'transaction_deferrable']],
    ['SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE', ['transaction_read_write']],
    ["SET TRANSACTION SNAPSHOT '00000003-1'", undefined],
    ["SELECT set_config('TimeZone', $1, true)", ['timezone']],
    ["SELECT set_config('jit', 'off', false), set_config('role', 'a', false)", ['jit', 'role']],
    ["SELECT set_config('jit', 'off', false), set_config($1, 'a', false)", undefined],
    ["PREPARE p AS SELECT set_config('jit', 'off', false)", ['jit']],
    ["EXECUTE p(set_config('jit', 'off', false))", undefined],
    ["UPDATE pg_settings SET setting = 'off' WHERE name = 'jit'", undefined],
    ["ALTER ROLE a SET jit = 'off'", undefined],
  ])('%s', (text, settings) => {
    expect(analyseText(text, [], parser).statements[0]?.facts.settings).toEqual(settings);
  });
});
