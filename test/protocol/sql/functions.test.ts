import { describe, expect, it } from 'vitest';
import { SETTLED_FUNCTIONS, VOLATILE_FUNCTIONS } from '../../../src/protocol/sql/builtin-names.ts';
import { functionFlags } from '../../../src/protocol/sql/functions.ts';

const own = (name: string): readonly string[] => functionFlags({ schema: null, name });

describe('what a function call reaches', () => {
  it('has a flag for every volatile function of PostgreSQL, but for those that only read a clock or the like', () => {
    const silent = [...VOLATILE_FUNCTIONS].filter((name) => own(name).length === 0).sort();
    expect(silent).toEqual(
      `array_sample array_shuffle bernoulli clock_timestamp currtid2 currval gen_random_uuid lastval random random_normal
      setseed suppress_redundant_updates_trigger system timeofday tsvector_update_trigger tsvector_update_trigger_column
      unique_key_recheck uuidv4 uuidv7`.split(/\s+/),
    );
  });

  it('takes no name of PostgreSQL for somebody else’s', () => {
    const names = [...SETTLED_FUNCTIONS, ...VOLATILE_FUNCTIONS];
    expect(names.length).toBeGreaterThan(2_500);
    expect(names.filter((name) => own(name).includes('fn_user'))).toEqual([]);
  });

  it.each([
    ['f_users', ['fn_user', 'hidden_sql']],
    // Only what really is PostgreSQL's own is waved through by a pattern.
    ['pg_get_secrets', ['fn_user', 'hidden_sql']],
    ['pg_last_wal_evil', ['fn_user', 'hidden_sql']],
    ['has_all_privilege', ['fn_user', 'hidden_sql']],
    ['Lower', ['fn_user', 'hidden_sql']],
    // A warning holds for names of other versions too.
    ['pg_ls_evil', ['fn_file']],
    ['pg_stop_backup', ['fn_admin']],
    ['constructor', ['fn_user', 'hidden_sql']],
    ['toString', ['fn_user', 'hidden_sql']],
    ['__proto__', ['fn_user', 'hidden_sql']],
  ])('%s: %j', (name, expected) => {
    expect(own(name)).toEqual(expected);
  });

  it('believes no name in a schema that is not PostgreSQL’s', () => {
    expect(functionFlags({ schema: 'pg_catalog', name: 'lower' })).toEqual([]);
    expect(functionFlags({ schema: 'evil', name: 'lower' })).toEqual(['fn_user', 'hidden_sql']);
    expect(functionFlags({ schema: 'evil', name: 'version' })).toEqual(['fn_user', 'hidden_sql']);
    expect(functionFlags({ schema: 'ext', name: 'dblink_exec' })).toEqual(['fn_remote_sql', 'hidden_sql']);
  });
});
