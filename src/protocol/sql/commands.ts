/**
 * Owns the list of statements: each node's command in PostgreSQL's words, and the flags that it has whatever is in
 * it. `ddl` follows the server's own log_statement classes (GetCommandLogLevel), without roles, grants and system
 * settings, which are `privilege`. Must never look inside a statement beyond what names it.
 */

import type { Fields, Kind } from './tree.ts';

interface Command {
  readonly command: string;
  readonly flags: readonly string[];
}

const TABLE = `
  SelectStmt                   | SELECT
  InsertStmt                   | INSERT
  UpdateStmt                   | UPDATE
  DeleteStmt                   | DELETE
  MergeStmt                    | MERGE
  ReturnStmt                   | RETURN
  TruncateStmt                 | TRUNCATE
  CopyStmt                     | COPY
  LockStmt                     | LOCK                          | lock
  CallStmt                     | CALL                          | call hidden_sql
  DoStmt                       | DO                            | do hidden_sql
  ExplainStmt                  | EXPLAIN
  PrepareStmt                  | PREPARE                       | prepare
  ExecuteStmt                  | EXECUTE                       | execute needs_prepared_lookup
  DeallocateStmt               | DEALLOCATE
  DeclareCursorStmt            | DECLARE CURSOR                | cursor
  FetchStmt                    | FETCH                         | cursor needs_cursor_lookup
  ClosePortalStmt              | CLOSE                         | cursor
  TransactionStmt              | BEGIN                         | txn_control
  ConstraintsSetStmt           | SET CONSTRAINTS
  VariableSetStmt              | SET
  VariableShowStmt             | SHOW
  DiscardStmt                  | DISCARD                       | session_reset
  ListenStmt                   | LISTEN                        | listen
  UnlistenStmt                 | UNLISTEN                      | listen
  NotifyStmt                   | NOTIFY                        | notify
  LoadStmt                     | LOAD                          | load_library
  CheckPointStmt               | CHECKPOINT                    | maintenance
  VacuumStmt                   | VACUUM                        | maintenance
  ClusterStmt                  | CLUSTER                       | maintenance lock
  ReindexStmt                  | REINDEX                       | maintenance
  RefreshMatViewStmt           | REFRESH MATERIALIZED VIEW     | maintenance
  CreateStmt                   | CREATE TABLE                  | ddl
  CreateTableAsStmt            | CREATE TABLE AS               | ddl
  CreateForeignTableStmt       | CREATE FOREIGN TABLE          | ddl outbound
  ImportForeignSchemaStmt      | IMPORT FOREIGN SCHEMA         | ddl outbound
  CreateForeignServerStmt      | CREATE SERVER                 | ddl outbound
  AlterForeignServerStmt       | ALTER SERVER                  | ddl outbound
  CreateFdwStmt                | CREATE FOREIGN DATA WRAPPER   | ddl
  AlterFdwStmt                 | ALTER FOREIGN DATA WRAPPER    | ddl
  CreateUserMappingStmt        | CREATE USER MAPPING           | ddl
  AlterUserMappingStmt         | ALTER USER MAPPING            | ddl
  DropUserMappingStmt          | DROP USER MAPPING             | ddl
  ViewStmt                     | CREATE VIEW                   | ddl view
  RuleStmt                     | CREATE RULE                   | ddl rule
  CreateTrigStmt               | CREATE TRIGGER                | ddl trigger hidden_sql
  CreateEventTrigStmt          | CREATE EVENT TRIGGER          | ddl trigger hidden_sql
  AlterEventTrigStmt           | ALTER EVENT TRIGGER           | ddl trigger
  CreatePolicyStmt             | CREATE POLICY                 | ddl rls
  AlterPolicyStmt              | ALTER POLICY                  | ddl rls
  IndexStmt                    | CREATE INDEX                  | ddl
  AlterTableStmt               | ALTER TABLE                   | ddl
  AlterTableMoveAllStmt        | ALTER TABLE                   | ddl
  DropStmt                     | DROP                          | ddl
  RenameStmt                   | ALTER                         | ddl rename
  AlterObjectSchemaStmt        | ALTER                         | ddl rename
  AlterObjectDependsStmt       | ALTER                         | ddl
  AlterOwnerStmt               | ALTER                         | ddl privilege
  CommentStmt                  | COMMENT                       | ddl
  SecLabelStmt                 | SECURITY LABEL                | privilege ddl
  CreateSchemaStmt             | CREATE SCHEMA                 | ddl
  CreateSeqStmt                | CREATE SEQUENCE               | ddl
  AlterSeqStmt                 | ALTER SEQUENCE                | ddl
  DefineStmt                   | CREATE                        | ddl
  CreateDomainStmt             | CREATE DOMAIN                 | ddl
  AlterDomainStmt              | ALTER DOMAIN                  | ddl
  CompositeTypeStmt            | CREATE TYPE                   | ddl
  CreateEnumStmt               | CREATE TYPE                   | ddl
  CreateRangeStmt              | CREATE TYPE                   | ddl
  AlterEnumStmt                | ALTER TYPE                    | ddl
  AlterTypeStmt                | ALTER TYPE                    | ddl
  AlterCollationStmt           | ALTER COLLATION               | ddl
  CreateConversionStmt         | CREATE CONVERSION             | ddl
  CreateCastStmt               | CREATE CAST                   | ddl
  CreateTransformStmt          | CREATE TRANSFORM              | ddl
  CreateOpClassStmt            | CREATE OPERATOR CLASS         | ddl
  CreateOpFamilyStmt           | CREATE OPERATOR FAMILY        | ddl
  AlterOpFamilyStmt            | ALTER OPERATOR FAMILY         | ddl
  AlterOperatorStmt            | ALTER OPERATOR                | ddl
  AlterTSDictionaryStmt        | ALTER TEXT SEARCH DICTIONARY  | ddl
  AlterTSConfigurationStmt     | ALTER TEXT SEARCH CONFIGURATION | ddl
  CreateStatsStmt              | CREATE STATISTICS             | ddl
  AlterStatsStmt               | ALTER STATISTICS              | ddl
  CreateAmStmt                 | CREATE ACCESS METHOD          | ddl
  CreatePLangStmt              | CREATE LANGUAGE               | ddl
  CreateFunctionStmt           | CREATE FUNCTION               | ddl create_function
  AlterFunctionStmt            | ALTER FUNCTION                | ddl
  CreateExtensionStmt          | CREATE EXTENSION              | ddl extension
  AlterExtensionStmt           | ALTER EXTENSION               | ddl extension
  AlterExtensionContentsStmt   | ALTER EXTENSION               | ddl extension
  CreatedbStmt                 | CREATE DATABASE               | ddl
  DropdbStmt                   | DROP DATABASE                 | ddl
  AlterDatabaseStmt            | ALTER DATABASE                | ddl
  AlterDatabaseRefreshCollStmt | ALTER DATABASE                | ddl
  AlterDatabaseSetStmt         | ALTER DATABASE                | ddl privilege
  CreateTableSpaceStmt         | CREATE TABLESPACE             | ddl
  DropTableSpaceStmt           | DROP TABLESPACE               | ddl
  AlterTableSpaceOptionsStmt   | ALTER TABLESPACE              | ddl
  CreatePublicationStmt        | CREATE PUBLICATION            | ddl replication bulk_export
  AlterPublicationStmt         | ALTER PUBLICATION             | ddl replication bulk_export
  CreateSubscriptionStmt       | CREATE SUBSCRIPTION           | ddl outbound
  AlterSubscriptionStmt        | ALTER SUBSCRIPTION            | ddl outbound
  DropSubscriptionStmt         | DROP SUBSCRIPTION             | ddl outbound
  GrantStmt                    | GRANT                         | privilege
  GrantRoleStmt                | GRANT                         | privilege
  AlterDefaultPrivilegesStmt   | ALTER DEFAULT PRIVILEGES      | privilege
  CreateRoleStmt               | CREATE ROLE                   | privilege
  AlterRoleStmt                | ALTER ROLE                    | privilege
  AlterRoleSetStmt             | ALTER ROLE                    | privilege
  DropRoleStmt                 | DROP ROLE                     | privilege
  DropOwnedStmt                | DROP OWNED                    | privilege ddl
  ReassignOwnedStmt            | REASSIGN OWNED                | privilege ddl
  AlterSystemStmt              | ALTER SYSTEM                  | alter_system privilege
  ReplicaIdentityStmt          | REPLICA IDENTITY
`;

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  TABLE.trim()
    .split('\n')
    .map((row): [string, Command] => {
      const [kind = '', command = '', flags = ''] = row.split('|').map((cell) => cell.trim());
      return [kind, { command, flags: flags === '' ? [] : flags.split(' ') }];
    }),
);

export function isStatement(kind: string): boolean {
  return COMMANDS.has(kind);
}

/** The flags that every statement of that kind has. */
export function flagsOf(kind: string): readonly string[] {
  return COMMANDS.get(kind)?.flags ?? [];
}

/** The command as PostgreSQL would tag it: `DROP TABLE`, `ROLLBACK PREPARED`, `CREATE MATERIALIZED VIEW`. */
export function commandOf(kind: Kind, body: Fields): string {
  return NAMED_BY_CONTENT[kind]?.(body) ?? COMMANDS.get(kind)?.command ?? kind;
}

/** `OBJECT_FOREIGN_TABLE` → `FOREIGN TABLE`. */
function objectWords(type: unknown): string {
  const text = typeof type === 'string' ? type.replace(/^OBJECT_/, '') : 'OBJECT';
  return OBJECT_WORDS[text] ?? text.replaceAll('_', ' ');
}

/** Where the tree's word is not the command's. */
const OBJECT_WORDS: Readonly<Record<string, string>> = {
  MATVIEW: 'MATERIALIZED VIEW',
  TABCONSTRAINT: 'TABLE',
  DOMCONSTRAINT: 'DOMAIN',
  ATTRIBUTE: 'TYPE',
  FDW: 'FOREIGN DATA WRAPPER',
  FOREIGN_SERVER: 'SERVER',
  OPCLASS: 'OPERATOR CLASS',
  OPFAMILY: 'OPERATOR FAMILY',
  STATISTIC_EXT: 'STATISTICS',
  TSCONFIGURATION: 'TEXT SEARCH CONFIGURATION',
  TSDICTIONARY: 'TEXT SEARCH DICTIONARY',
  TSPARSER: 'TEXT SEARCH PARSER',
  TSTEMPLATE: 'TEXT SEARCH TEMPLATE',
};

const TRANSACTION: Readonly<Record<string, string>> = {
  TRANS_STMT_BEGIN: 'BEGIN',
  TRANS_STMT_START: 'START TRANSACTION',
  TRANS_STMT_COMMIT: 'COMMIT',
  TRANS_STMT_ROLLBACK: 'ROLLBACK',
  TRANS_STMT_SAVEPOINT: 'SAVEPOINT',
  TRANS_STMT_RELEASE: 'RELEASE',
  TRANS_STMT_ROLLBACK_TO: 'ROLLBACK TO SAVEPOINT',
  TRANS_STMT_PREPARE: 'PREPARE TRANSACTION',
  TRANS_STMT_COMMIT_PREPARED: 'COMMIT PREPARED',
  TRANS_STMT_ROLLBACK_PREPARED: 'ROLLBACK PREPARED',
};

const NAMED_BY_CONTENT: { readonly [K in Kind]?: (body: Fields) => string | undefined } = {
  TransactionStmt: (body) => TRANSACTION[String(body.kind)],
  DropStmt: (body) => `DROP ${objectWords(body.removeType)}`,
  // relationType is only filled in for what belongs to a relation.
  RenameStmt: (body) =>
    `ALTER ${objectWords(body.renameType === 'OBJECT_COLUMN' ? body.relationType : body.renameType)}`,
  AlterTableStmt: (body) => `ALTER ${objectWords(body.objtype)}`,
  AlterObjectSchemaStmt: (body) => `ALTER ${objectWords(body.objectType)}`,
  AlterOwnerStmt: (body) => `ALTER ${objectWords(body.objectType)}`,
  AlterObjectDependsStmt: (body) => `ALTER ${objectWords(body.objectType)}`,
  AlterFunctionStmt: (body) => `ALTER ${objectWords(body.objtype)}`,
  DefineStmt: (body) => `CREATE ${objectWords(body.kind)}`,
  CreateFunctionStmt: (body) => (body.is_procedure === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION'),
  CreateTableAsStmt: (body) =>
    body.objtype === 'OBJECT_MATVIEW' ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS',
  GrantStmt: (body) => (body.is_grant === true ? 'GRANT' : 'REVOKE'),
  GrantRoleStmt: (body) => (body.is_grant === true ? 'GRANT' : 'REVOKE'),
  VacuumStmt: (body) => (body.is_vacuumcmd === true ? 'VACUUM' : 'ANALYZE'),
  FetchStmt: (body) => (body.ismove === true ? 'MOVE' : 'FETCH'),
  VariableSetStmt: (body) => (String(body.kind).startsWith('VAR_RESET') ? 'RESET' : 'SET'),
};
