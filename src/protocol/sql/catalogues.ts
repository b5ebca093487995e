/**
 * Owns which relations are PostgreSQL's own description of itself, which is not anybody's data. Must never call a
 * name a catalogue because it looks like one: tables may be named pg_anything.
 */

import type { RelationName } from '../../core/facts.ts';
import { CATALOGUES, INFORMATION_SCHEMA } from './builtin-names.ts';

/** Catalogues that hold samples of rows, other people's statements, credentials or configuration. Manual chapters 52 and 53. */
const REVEALING: ReadonlySet<string> = new Set(
  `pg_authid pg_file_settings pg_hba_file_rules pg_ident_file_mappings pg_largeobject pg_shadow pg_stat_activity
  pg_stat_gssapi pg_stat_ssl pg_stat_wal_receiver pg_statistic pg_statistic_ext_data pg_stats pg_stats_ext
  pg_stats_ext_exprs pg_subscription pg_user_mapping pg_user_mappings _pg_user_mappings user_mapping_options`.split(
    /\s+/,
  ),
);

/** True for a relation that only describes the database: reading all of it carries no rows out. */
export function isDescription({ schema, name }: RelationName): boolean {
  if (REVEALING.has(name)) return false;
  // pg_catalog is searched first unless the search path names it later, and that is a change that policy sees.
  if (schema === null || schema === 'pg_catalog') return CATALOGUES.has(name);
  return schema === 'information_schema' && INFORMATION_SCHEMA.has(name);
}
