/**
 * Owns the shape of libpg_query's raw parse tree: which nodes exist, and which fields hold a node without its
 * name around it. What is not listed here is unknown, and whoever meets it must say so. Must never know what a node means.
 */

import type { Node } from 'libpg-query';

type KeyOf<N> = N extends unknown ? keyof N : never;

/** A node name: `SelectStmt`, `RangeVar` … */
export type Kind = KeyOf<Node>;
/** The fields of one kind of node. */
export type Body<K extends Kind> = Extract<Node, Record<K, unknown>>[K];
/** Any node, looked at without knowing its kind. */
export type Fields = Readonly<Record<string, unknown>>;

export interface Named {
  readonly kind: Kind;
  readonly body: Fields;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{ RangeVar: {…} }` taken apart; null for anything else, known or not. */
export function named(value: unknown): Named | null {
  if (!isFields(value)) return null;
  const keys = Object.keys(value);
  const kind = keys[0];
  if (keys.length !== 1 || kind === undefined || !NODE_NAME.test(kind)) return null;
  const body = value[kind];
  return isFields(body) ? { kind: kind as Kind, body } : null;
}

const NODE_NAME = /^[A-Z]/;

/** The body of `value` when it is a node of that kind. */
export function bodyOf<K extends Kind>(value: unknown, kind: K): Body<K> | null {
  const node = named(value);
  return node?.kind === kind ? (node.body as Body<K>) : null;
}

/** The words of a list of String nodes; other items are left out. */
export function words(list: unknown): string[] {
  const found: string[] = [];
  for (const item of items(list)) {
    const text = bodyOf(item, 'String')?.sval;
    if (text !== undefined) found.push(text);
  }
  return found;
}

/** The items of an array, or of a List node. */
export function items(list: unknown): readonly unknown[] {
  if (Array.isArray(list)) return list;
  return bodyOf(list, 'List')?.items ?? [];
}

const split = (text: string): string[] => text.trim().split(/\s+/);

/** Fields that hold a body of that kind bare. A test compares this table with the parser's own types. */
const EMBEDDED_BY_KIND: { readonly [K in Kind]?: string } = {
  Alias: `JoinExpr.join_using_alias JoinExpr.alias JsonTable.alias RangeFunction.alias RangeSubselect.alias
    RangeTableFunc.alias RangeVar.alias`,
  BitString: 'A_Const.bsval',
  Boolean: 'A_Const.boolval',
  CTECycleClause: 'CommonTableExpr.cycle_clause',
  CTESearchClause: 'CommonTableExpr.search_clause',
  CollateClause: 'ColumnDef.collClause CreateDomainStmt.collClause',
  CreateStmt: 'CreateForeignTableStmt.base',
  Float: 'A_Const.fval',
  FuncCall: 'CallStmt.funccall',
  GrantStmt: 'AlterDefaultPrivilegesStmt.action',
  InferClause: 'OnConflictClause.infer',
  Integer: 'A_Const.ival',
  IntoClause: 'CreateTableAsStmt.into SelectStmt.intoClause',
  JsonAggConstructor: 'JsonArrayAgg.constructor JsonObjectAgg.constructor',
  JsonBehavior: `JsonFuncExpr.on_empty JsonFuncExpr.on_error JsonTable.on_error JsonTableColumn.on_empty
    JsonTableColumn.on_error`,
  JsonFormat: `JsonArrayQueryConstructor.format JsonIsPredicate.format JsonReturning.format JsonTableColumn.format
    JsonValueExpr.format`,
  JsonKeyValue: 'JsonObjectAgg.arg',
  JsonOutput: `JsonAggConstructor.output JsonArrayConstructor.output JsonArrayQueryConstructor.output
    JsonFuncExpr.output JsonObjectConstructor.output JsonParseExpr.output JsonScalarExpr.output
    JsonSerializeExpr.output`,
  JsonReturning: 'JsonOutput.returning',
  JsonTablePathSpec: 'JsonTable.pathspec JsonTableColumn.pathspec',
  JsonValueExpr: `JsonArgument.val JsonArrayAgg.arg JsonFuncExpr.context_item JsonKeyValue.value JsonParseExpr.expr
    JsonSerializeExpr.expr JsonTable.context_item`,
  ObjectWithArgs: `AlterFunctionStmt.func AlterOperatorStmt.opername CreateCastStmt.func CreateOpClassItem.name
    CreateTransformStmt.fromsql CreateTransformStmt.tosql`,
  OnConflictClause: 'InsertStmt.onConflictClause',
  PartitionBoundSpec: 'CreateStmt.partbound PartitionCmd.bound',
  PartitionSpec: 'CreateStmt.partspec',
  PublicationTable: 'PublicationObjSpec.pubtable',
  RangeVar: `AlterObjectDependsStmt.relation AlterObjectSchemaStmt.relation AlterOwnerStmt.relation
    AlterPolicyStmt.table AlterSeqStmt.sequence AlterTableStmt.relation ClusterStmt.relation
    ColumnDef.identitySequence CompositeTypeStmt.typevar Constraint.pktable CopyStmt.relation CreatePolicyStmt.table
    CreateSeqStmt.sequence CreateStmt.relation CreateTrigStmt.relation CreateTrigStmt.constrrel DeleteStmt.relation
    IndexStmt.relation InsertStmt.relation IntoClause.rel MergeStmt.relation PartitionCmd.name
    PublicationTable.relation RefreshMatViewStmt.relation ReindexStmt.relation RenameStmt.relation RuleStmt.relation
    TableLikeClause.relation UpdateStmt.relation VacuumRelation.relation ViewStmt.view`,
  ReturningClause: `DeleteStmt.returningClause InsertStmt.returningClause MergeStmt.returningClause
    UpdateStmt.returningClause`,
  RoleSpec: `AlterOwnerStmt.newowner AlterRoleSetStmt.role AlterRoleStmt.role AlterTableCmd.newowner
    AlterUserMappingStmt.user CreateSchemaStmt.authrole CreateTableSpaceStmt.owner CreateUserMappingStmt.user
    DropUserMappingStmt.user GrantRoleStmt.grantor GrantStmt.grantor ReassignOwnedStmt.newrole`,
  SelectStmt: 'SelectStmt.larg SelectStmt.rarg',
  String: 'A_Const.sval AlterObjectDependsStmt.extname',
  TypeName: `ColumnDef.typeName CreateCastStmt.sourcetype CreateCastStmt.targettype CreateDomainStmt.typeName
    CreateFunctionStmt.returnType CreateOpClassItem.storedtype CreateOpClassStmt.datatype CreateStmt.ofTypename
    CreateTransformStmt.type_name FunctionParameter.argType JsonOutput.typeName JsonTableColumn.typeName
    RangeTableFuncCol.typeName TypeCast.typeName XmlSerialize.typeName`,
  VariableSetStmt: 'AlterDatabaseSetStmt.setstmt AlterRoleSetStmt.setstmt AlterSystemStmt.setstmt',
  WindowDef: 'FuncCall.over JsonAggConstructor.over',
  WithClause:
    'DeleteStmt.withClause InsertStmt.withClause MergeStmt.withClause SelectStmt.withClause UpdateStmt.withClause',
};

/** `InsertStmt.relation` → `RangeVar`. */
export const EMBEDDED: ReadonlyMap<string, Kind> = new Map(
  Object.entries(EMBEDDED_BY_KIND).flatMap(([kind, fields]) =>
    split(fields).map((field): [string, Kind] => [field, kind as Kind]),
  ),
);

/** Nodes that are parts of statements. The statements themselves are in commands.ts. */
export const PARTS: ReadonlySet<string> = new Set(
  split(`
  ATAlterConstraint A_ArrayExpr A_Const A_Expr A_Indices A_Indirection A_Star AccessPriv Alias AlterTableCmd BitString
  BoolExpr Boolean BooleanTest CTECycleClause CTESearchClause CaseExpr CaseWhen CoalesceExpr CollateClause ColumnDef
  ColumnRef CommonTableExpr Constraint CreateOpClassItem CurrentOfExpr DefElem Float FuncCall FunctionParameter
  GroupingFunc GroupingSet IndexElem InferClause Integer IntoClause JoinExpr JsonAggConstructor JsonArgument
  JsonArrayAgg JsonArrayConstructor JsonArrayQueryConstructor JsonBehavior JsonFormat JsonFuncExpr JsonIsPredicate
  JsonKeyValue JsonObjectAgg JsonObjectConstructor JsonOutput JsonParseExpr JsonReturning JsonScalarExpr
  JsonSerializeExpr JsonTable JsonTableColumn JsonTablePathSpec JsonValueExpr List LockingClause MergeSupportFunc
  MergeWhenClause MinMaxExpr MultiAssignRef NamedArgExpr NullTest ObjectWithArgs OnConflictClause ParamRef
  PartitionBoundSpec PartitionCmd PartitionElem PartitionRangeDatum PartitionSpec PublicationObjSpec PublicationTable
  RangeFunction RangeSubselect RangeTableFunc RangeTableFuncCol RangeTableSample RangeVar ResTarget ReturningClause
  ReturningOption RoleSpec RowExpr SQLValueFunction SetToDefault SortBy StatsElem String SubLink TableLikeClause
  TriggerTransition TypeCast TypeName VacuumRelation WindowDef WithClause XmlExpr XmlSerialize`),
);
