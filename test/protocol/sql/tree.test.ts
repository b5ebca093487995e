import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { isStatement } from '../../../src/protocol/sql/commands.ts';
import { EMBEDDED, PARTS } from '../../../src/protocol/sql/tree.ts';
import { type Handlers, Walk } from '../../../src/protocol/sql/walk.ts';

/** The parser's own declaration of its tree. */
const declared = new Map<string, string>();
const libpg = createRequire(import.meta.url).resolve('libpg-query');
const source = readFileSync(
  createRequire(libpg)
    .resolve('@pgsql/types')
    .replace(/index\.js$/, 'types.d.ts'),
  'utf8',
);
for (const [, name, body] of source.matchAll(/export interface (\w+) \{(.*?)\n\}/gs))
  declared.set(name ?? '', body ?? '');

/** Of later stages of the server, or of libpg_query's other functions: never in a raw parse tree. */
const LATER_STAGES = new Set(
  `ParseResult ScanResult OidList IntList TableFunc Var Param Aggref WindowFunc WindowFuncRunCondition SubscriptingRef
  FuncExpr OpExpr DistinctExpr NullIfExpr ScalarArrayOpExpr SubPlan AlternativeSubPlan FieldSelect FieldStore RelabelType
  CoerceViaIO ArrayCoerceExpr ConvertRowtypeExpr CollateExpr CaseTestExpr ArrayExpr RowCompareExpr JsonConstructorExpr
  JsonExpr JsonTablePath JsonTablePathScan JsonTableSiblingJoin MergeAction CoerceToDomain CoerceToDomainValue
  NextValueExpr InferenceElem ReturningExpr TargetEntry RangeTblRef FromExpr OnConflictExpr Query RangeTblEntry
  RTEPermissionInfo RangeTblFunction TableSampleClause WithCheckOption SortGroupClause WindowClause RowMarkClause
  SetOperationStmt InlineCodeBlock CallContext ScanToken SummaryResult Table Function FilterColumn PLAssignStmt RawStmt`.split(
    /\s+/,
  ),
);

describe('the shape of the parse tree', () => {
  const raw = [...declared.keys()].filter((name) => !LATER_STAGES.has(name));

  it('knows every node that the parser declares, and no other', () => {
    expect(raw.length).toBeGreaterThan(200);
    expect(raw.filter((name) => !isStatement(name) && !PARTS.has(name))).toEqual([]);
    expect([...PARTS].filter((name) => !declared.has(name))).toEqual([]);
  });

  it('knows every field that holds a node without its name', () => {
    const fields = raw.flatMap((name) =>
      [...(declared.get(name) ?? '').matchAll(/(\w+)\?: (\w+);/g)]
        .filter(([, , type]) => declared.has(type ?? '') && !LATER_STAGES.has(type ?? ''))
        .map(([, field, type]) => `${name}.${field} ${type}`),
    );
    expect([...EMBEDDED].map(([field, kind]) => `${field} ${kind}`).sort()).toEqual(fields.sort());
  });
});

describe('the walk', () => {
  const opaque = (statement: unknown): boolean => Walk.over(statement, {}).flags.has('opaque');

  it('calls a node that it does not know opaque', () => {
    expect(opaque({ SelectStmt: { targetList: [{ ResTarget: { val: { A_Const: {} } } }] } })).toBe(false);
    expect(opaque({ SelectStmt: { targetList: [{ ResTarget: { val: { GraphPattern: {} } } }] } })).toBe(true);
    expect(opaque({ RepackStmt: {} })).toBe(true);
  });

  it('calls a field opaque that holds what is no node', () => {
    expect(opaque({ SelectStmt: { newClause: { ctes: [], other: 1 } } })).toBe(true);
  });

  it('still finds what is inside of an unknown node', () => {
    const seen: string[] = [];
    const handlers: Handlers = { RangeVar: (body) => void seen.push(body.relname ?? '') };
    Walk.over({ RepackStmt: { thing: { a: [{ RangeVar: { relname: 'users' } }], b: 1 } } }, handlers);
    expect(seen).toEqual(['users']);
  });
});
