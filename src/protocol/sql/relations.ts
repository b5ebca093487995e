/**
 * Owns which relations a statement reads and writes. A name is a common table expression only where it is
 * unqualified, in scope, and not the target of a write. Must never know what is done with the rows.
 */

import type { RelationName } from '../../core/facts.ts';
import { type Body, bodyOf, items, words } from './tree.ts';
import type { Handlers, Walk } from './walk.ts';

/** Fields whose relation is changed, created or dropped. In every other one it is read. */
const WRITTEN: ReadonlySet<string> = new Set(
  `AlterObjectDependsStmt.relation AlterObjectSchemaStmt.relation AlterOwnerStmt.relation AlterPolicyStmt.table
  AlterSeqStmt.sequence AlterTableStmt.relation ClusterStmt.relation CreatePolicyStmt.table CreateSeqStmt.sequence
  CreateStmt.relation CreateTrigStmt.relation DeleteStmt.relation IndexStmt.relation InsertStmt.relation IntoClause.rel
  MergeStmt.relation PartitionCmd.name RefreshMatViewStmt.relation ReindexStmt.relation RenameStmt.relation
  RuleStmt.relation UpdateStmt.relation VacuumRelation.relation ViewStmt.view`.split(/\s+/),
);

/** Of these, the ones that make a new relation, which may hide another. */
const CREATED: ReadonlySet<string> = new Set([
  'CreateSeqStmt.sequence',
  'CreateStmt.relation',
  'IntoClause.rel',
  'ViewStmt.view',
]);

const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

/**
 * Names that by common convention are views'. Which relation really is one, only the catalogue knows; where that is
 * connected, it decides.
 */
const VIEW_NAME = /^(?:v|vw|view|mv)_|_(?:v|vw|view|mv)$/;

export const relationHandlers: Handlers = {
  RangeVar(body, walk, field) {
    const relation = { schema: body.schemaname ?? null, name: body.relname ?? '' };
    if (field !== null && WRITTEN.has(field)) {
      writeRelation(relation, walk);
      const temporary = body.relpersistence === 't' || body.schemaname === 'pg_temp';
      // The temporary schema comes before every other in the search path, so a name in it hides all others.
      if (CREATED.has(field) && temporary) walk.found.flag('temp', 'shadow');
    } else if (body.schemaname !== undefined || !walk.ctes.has(relation.name)) {
      readRelation(relation, walk);
    }
  },

  // FOR UPDATE OF u: the names are aliases of the same query.
  LockingClause(_body, walk) {
    walk.found.flag('row_lock');
  },

  RangeTableSample(body, walk) {
    walk.visit(body.relation);
    const method = qualified(body.method);
    if (method && method.name !== 'system' && method.name !== 'bernoulli')
      walk.found.flag('fn_user', 'hidden_sql');
    walk.descend('RangeTableSample', body, 'relation', 'method');
  },

  RangeSubselect(body, walk) {
    if (body.lateral) walk.found.flag('lateral');
    walk.at({ place: 'inner' }).visit(body.subquery);
  },

  RangeFunction(body, walk) {
    if (body.lateral) walk.found.flag('lateral');
    walk.descend('RangeFunction', body);
  },

  RangeTableFunc(body, walk) {
    if (body.lateral) walk.found.flag('lateral');
    walk.descend('RangeTableFunc', body);
  },

  JsonTable(body, walk) {
    if (body.lateral) walk.found.flag('lateral');
    walk.descend('JsonTable', body);
  },

  // Its relations are constraints' names.
  ConstraintsSetStmt() {},
  // A composite type has a relation's form and holds no rows.
  CompositeTypeStmt(body, walk) {
    walk.visit(body.coldeflist);
  },

  ImportForeignSchemaStmt(body, walk) {
    if (body.list_type !== 'FDW_IMPORT_SCHEMA_LIMIT_TO') return;
    for (const item of items(body.table_list)) {
      const name = bodyOf(item, 'RangeVar')?.relname;
      if (name !== undefined) writeRelation({ schema: body.local_schema ?? null, name }, walk);
    }
  },

  GrantStmt(body, walk) {
    if (body.targtype === 'ACL_TARGET_ALL_IN_SCHEMA') walk.found.flag('schema_wide');
    writeAll(body.objects, walk);
  },

  TruncateStmt(body, walk) {
    writeAll(body.relations, walk);
  },

  DropStmt(body, walk) {
    for (const object of items(body.objects)) writeObject(body.removeType, object, walk);
    walk.found.flag(...(OBJECT_FLAGS[body.removeType ?? ''] ?? []));
  },

  RenameStmt(body, walk) {
    if (body.renameType === 'OBJECT_ROLE') walk.found.flag('privilege');
    walk.descend('RenameStmt', body);
  },

  CommentStmt(body, walk) {
    writeObject(body.objtype, body.object, walk);
  },

  SecLabelStmt(body, walk) {
    writeObject(body.objtype, body.object, walk);
  },

  AlterExtensionContentsStmt(body, walk) {
    writeObject(body.objtype, body.object, walk);
  },
};

/** What is dropped, in the families that have a flag. */
const OBJECT_FLAGS: Readonly<Record<string, readonly string[]>> = {
  OBJECT_VIEW: ['view'],
  OBJECT_MATVIEW: ['view'],
  OBJECT_RULE: ['rule'],
  OBJECT_TRIGGER: ['trigger'],
  OBJECT_EVENT_TRIGGER: ['trigger'],
  OBJECT_POLICY: ['rls'],
  OBJECT_EXTENSION: ['extension'],
  OBJECT_PUBLICATION: ['replication'],
};

/** Objects named like a relation, and objects of a relation, whose own name comes after the relation's. */
const RELATIONS: ReadonlySet<string> = new Set(
  'OBJECT_TABLE OBJECT_VIEW OBJECT_MATVIEW OBJECT_INDEX OBJECT_SEQUENCE OBJECT_FOREIGN_TABLE'.split(' '),
);
const OF_RELATIONS: ReadonlySet<string> = new Set(
  'OBJECT_COLUMN OBJECT_TABCONSTRAINT OBJECT_TRIGGER OBJECT_RULE OBJECT_POLICY'.split(' '),
);

function writeObject(type: string | undefined, object: unknown, walk: Walk): void {
  const names = words(object);
  if (OF_RELATIONS.has(type ?? '')) names.pop();
  else if (!RELATIONS.has(type ?? '')) return;
  const relation = fromWords(names);
  if (relation) writeRelation(relation, walk);
}

function writeAll(list: unknown, walk: Walk): void {
  for (const item of items(list)) {
    const body = bodyOf(item, 'RangeVar');
    if (body) writeRelation({ schema: body.schemaname ?? null, name: body.relname ?? '' }, walk);
  }
}

export function readRelation(relation: RelationName, walk: Walk): void {
  notice(relation, walk);
  if (VIEW_NAME.test(relation.name)) walk.found.flag('needs_view_resolution');
  walk.found.read(relation);
}

export function writeRelation(relation: RelationName, walk: Walk): void {
  notice(relation, walk);
  walk.found.write(relation);
}

function notice(relation: RelationName, walk: Walk): void {
  if (`${relation.schema ?? ''}${relation.name}`.includes('.')) walk.found.flag('ident_contains_dot');
  // pg_ is reserved: an unqualified name with it is looked up in pg_catalog before any other schema.
  const system =
    relation.schema === null ? relation.name.startsWith('pg_') : SYSTEM_SCHEMAS.has(relation.schema);
  if (system) walk.found.flag('system_catalog');
}

/** `[schema, name]`, `[name]` or `[database, schema, name]` as a name; null for an empty list. */
export function qualified(list: unknown): RelationName | null {
  return fromWords(words(list));
}

function fromWords(parts: readonly string[]): RelationName | null {
  const name = parts.at(-1);
  return name === undefined ? null : { schema: parts.at(-2) ?? null, name };
}

/** The name that a FROM item is known by in its query, where that stands for a whole row. */
export function rowNames(from: unknown): string[] {
  const names: string[] = [];
  for (const item of items(from)) collectRowNames(item, names);
  return names;
}

function collectRowNames(item: unknown, names: string[]): void {
  const table = bodyOf(item, 'RangeVar');
  if (table) names.push(rowName(table));
  const sampled = bodyOf(item, 'RangeTableSample');
  if (sampled) collectRowNames(sampled.relation, names);
  const subselect = bodyOf(item, 'RangeSubselect')?.alias?.aliasname;
  if (subselect !== undefined) names.push(subselect);
  const join = bodyOf(item, 'JoinExpr');
  if (join?.alias?.aliasname !== undefined) names.push(join.alias.aliasname);
  if (join) {
    collectRowNames(join.larg, names);
    collectRowNames(join.rarg, names);
  }
}

export function rowName(table: Body<'RangeVar'>): string {
  return table.alias?.aliasname ?? table.relname ?? '';
}
