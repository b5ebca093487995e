/**
 * Owns what a function call can do beyond computing a value, by name: the `fn_…` flags. A name that is not
 * PostgreSQL's own is somebody's code; one of its own that is volatile and not listed here is taken for an
 * administrative one. Must never decide whether that is allowed.
 */

import type { FunctionName } from '../../core/facts.ts';
import { SETTLED_FUNCTIONS, TYPES, VOLATILE_FUNCTIONS } from './builtin-names.ts';

/**
 * PostgreSQL's own, of this and earlier versions. `*` ends a prefix. Manual chapters: 9.27 system information,
 * 9.28 administration, 35.4 large objects; appendix F for the extensions below.
 */
const OWN: Readonly<Record<string, string>> = {
  fn_file: `pg_read_file pg_read_binary_file pg_ls_* pg_stat_file pg_hba_file_rules pg_ident_file_mappings
    pg_show_all_file_settings pg_current_logfile lo_import lo_export`,
  fn_large_object: `lo_close lo_creat lo_create lo_from_bytea lo_get lo_lseek lo_lseek64 lo_open lo_put lo_tell
    lo_tell64 lo_truncate lo_truncate64 lo_unlink loread lowrite`,
  fn_sql_exec: `query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema
    table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema
    schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat ts_rewrite`,
  fn_backend_control: 'pg_terminate_backend pg_cancel_backend pg_log_backend_memory_contexts',
  fn_admin: `pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_create_restore_point pg_switch_wal
    pg_switch_xlog pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_promote pg_wal_replay_pause
    pg_wal_replay_resume pg_xlog_replay_pause pg_xlog_replay_resume pg_stat_reset* pg_stat_force_next_flush
    pg_stat_clear_snapshot pg_clear_* pg_restore_* pg_import_system_collations pg_extension_config_dump
    pg_log_standby_snapshot pg_nextoid pg_stop_making_pinned_objects binary_upgrade_* brin_summarize_*
    brin_desummarize_range gin_clean_pending_list`,
  fn_replication: `pg_create_physical_replication_slot pg_create_logical_replication_slot pg_drop_replication_slot
    pg_copy_physical_replication_slot pg_copy_logical_replication_slot pg_logical_* pg_replication_* pg_sync_replication_slots
    pg_export_snapshot pg_show_replication_origin_status`,
  fn_delay: 'pg_sleep pg_sleep_for pg_sleep_until',
  fn_lock: 'pg_advisory_* pg_try_advisory_*',
  fn_notify: 'pg_notify',
  fn_xid_assign: 'pg_current_xact_id txid_current',
  fn_sequence_write: 'nextval setval',
  fn_set_config: 'set_config',
  fn_catalog_probe: `has_*_privilege pg_has_role row_security_active pg_*_is_visible to_reg* format_type
    obj_description col_description shobj_description pg_get_* pg_describe_object pg_identify_object
    pg_identify_object_as_address pg_column_is_updatable pg_relation_is_updatable pg_relation_size pg_table_size
    pg_indexes_size pg_total_relation_size pg_database_size pg_tablespace_size pg_tablespace_location
    pg_tablespace_databases pg_relation_filenode pg_relation_filepath pg_filenode_relation pg_partition_*
    pg_index_column_has_property pg_index_has_property pg_indexam_has_property pg_options_to_table
    pg_sequence_last_value pg_sequence_parameters pg_lock_status pg_prepared_xact pg_available_extensions
    pg_available_extension_versions pg_extension_update_paths pg_event_trigger_* pg_stat_get_* pg_blocking_pids
    pg_safe_snapshot_blocking_pids pg_show_all_settings pg_settings_get_flags pg_control_* pg_cursor
    pg_prepared_statement pg_config pg_timezone_* pg_stat_have_stats acldefault aclexplode pg_char_to_encoding
    pg_encoding_to_char pg_available_wal_summaries pg_wal_summary_contents pg_wait_events amvalidate
    pg_last_committed_xact pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_xact_status txid_status
    pg_notification_queue_usage pg_collation_actual_version pg_database_collation_actual_version
    pg_isolation_test_session_is_blocked`,
  fn_benign: `version current_database current_schema current_schemas current_setting current_query current_user
    session_user current_role current_catalog system_user inet_client_addr inet_client_port inet_server_addr inet_server_port
    pg_backend_pid pg_postmaster_start_time pg_conf_load_time pg_is_in_recovery pg_is_wal_replay_paused
    pg_is_other_temp_schema pg_my_temp_schema pg_current_wal_* pg_last_wal_* pg_last_xact_replay_timestamp
    pg_current_snapshot txid_current_snapshot txid_current_if_assigned pg_current_xact_id_if_assigned
    pg_listening_channels pg_trigger_depth pg_jit_available pg_client_encoding getdatabaseencoding unicode_version
    icu_unicode_version pg_size_pretty pg_size_bytes`,
};

/** Volatile, and yet without effect: they read a clock, a random source, or the session's own sequence state. */
const VOLATILE_BUT_HARMLESS = `random random_normal setseed clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7
  currval lastval array_sample array_shuffle bernoulli system suppress_redundant_updates_trigger tsvector_update_trigger
  tsvector_update_trigger_column unique_key_recheck currtid2`;

/**
 * Of extensions that come with PostgreSQL or are well known; by bare name wherever they were installed. Their flag
 * says more than `fn_user` would, so it replaces that.
 */
const EXTENSIONS: Readonly<Record<string, string>> = {
  fn_file: 'pg_file_* pg_logdir_ls pg_read_file_old get_raw_page pg_read_relation_page file_fdw_handler',
  fn_remote_sql: 'dblink dblink_* postgres_fdw_*',
  fn_sql_exec: 'crosstab crosstab2 crosstab3 crosstab4 crosstabn connectby xpath_table',
  fn_admin: `pg_stat_statements_reset pg_prewarm autoprewarm_* pg_buffercache_evict* pg_truncate_visibility_map heap_force_kill
    heap_force_freeze pg_surgery_*`,
  fn_large_object: 'lo_manage lo_oid',
};

/** Of extensions that name their schema. */
const QUALIFIED_EXTENSIONS: Readonly<Record<string, string>> = {
  'cron.schedule': 'fn_sql_exec',
  'cron.schedule_in_database': 'fn_sql_exec',
  'aws_s3.query_export_to_s3': 'fn_sql_exec',
  'aws_s3.table_import_from_s3': 'fn_file',
};

/** Flags that mean that SQL runs which the text does not show. */
const HIDES_SQL: ReadonlySet<string> = new Set(['fn_sql_exec', 'fn_remote_sql', 'fn_user']);

/** Flags whose effect depends on the argument: with a parameter there, text alone cannot tell. */
export const DEPENDS_ON_ARGUMENT: ReadonlySet<string> = new Set([
  'fn_set_config',
  'fn_sql_exec',
  'fn_remote_sql',
  'fn_file',
]);

/** Flags that say less than `fn_user`: only for what really is PostgreSQL's own. */
const REASSURING: ReadonlySet<string> = new Set(['fn_catalog_probe', 'fn_benign']);

class NameTable {
  readonly #exact = new Map<string, string>();
  readonly #patterns: (readonly [RegExp, string])[] = [];

  constructor(table: Readonly<Record<string, string>>) {
    for (const [flag, names] of Object.entries(table)) {
      for (const name of names.trim().split(/\s+/)) {
        if (name.includes('*')) this.#patterns.push([pattern(name), flag]);
        else this.#exact.set(name, flag);
      }
    }
  }

  get(name: string): string | undefined {
    return this.#exact.get(name) ?? this.#patterns.find(([form]) => form.test(name))?.[1];
  }
}

const pattern = (name: string): RegExp => new RegExp(`^${name.replaceAll('*', '\\w*')}$`);

const own = new NameTable(OWN);
const extensions = new NameTable(EXTENSIONS);
const harmless = new Set(VOLATILE_BUT_HARMLESS.trim().split(/\s+/));
const remembered = new Map<string, readonly string[]>();

/** The flags of a call of that function: empty for one of PostgreSQL's own that only computes. */
export function functionFlags(name: FunctionName): readonly string[] {
  const key = `${name.schema ?? ''}\0${name.name}`;
  const known = remembered.get(key);
  if (known) return known;
  const flag = classify(name);
  const flags = flag === null ? [] : HIDES_SQL.has(flag) ? [flag, 'hidden_sql'] : [flag];
  // Built-in names are few; user names come from agents, so what is remembered has a bound.
  if (remembered.size < 4_000) remembered.set(key, flags);
  return flags;
}

/** True where the name is PostgreSQL's own and resolves to it. */
export function isBuiltinFunction(name: FunctionName): boolean {
  if (name.schema !== null && name.schema !== 'pg_catalog') return false;
  return SETTLED_FUNCTIONS.has(name.name) || VOLATILE_FUNCTIONS.has(name.name);
}

function classify(name: FunctionName): string | null {
  if (name.schema === null || name.schema === 'pg_catalog') {
    // Earlier versions' names are in the table and not in the catalogue. Of those only warnings count.
    const flag = own.get(name.name);
    if (flag !== undefined && (isBuiltinFunction(name) || !REASSURING.has(flag))) return flag;
    if (VOLATILE_FUNCTIONS.has(name.name)) return harmless.has(name.name) ? null : 'fn_admin';
    // `regclass('x')` is a cast that looks like a call (manual 4.2.9).
    if (SETTLED_FUNCTIONS.has(name.name) || TYPES.has(name.name)) return null;
  }
  if (name.schema === 'information_schema') return null;
  return (
    (name.schema === null ? undefined : QUALIFIED_EXTENSIONS[`${name.schema}.${name.name}`]) ??
    extensions.get(name.name) ??
    'fn_user'
  );
}
