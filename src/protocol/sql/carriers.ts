/**
 * Owns statements that carry another one: EXPLAIN, COPY, views, CREATE TABLE AS, rules, schemas. `nested` lists what a
 * statement carries and runs, opens or plans: the query of EXPLAIN, COPY, DECLARE and PREPARE, the elements of CREATE
 * SCHEMA, the actions of a rule, the body of a function in SQL's own form, and every INSERT, UPDATE, DELETE and MERGE
 * anywhere. It does not list the query that defines a view or fills a new table, nor sub-selects.
 */

import { type Body, bodyOf, items, named } from './tree.ts';
import type { Handlers, Walk } from './walk.ts';

export const carrierHandlers: Handlers = {
  ExplainStmt(body, walk) {
    walk.found.flag(isAnalyze(body.options) ? 'explain_analyze' : 'explain_only');
    // What reaches the client is the plan.
    walk.enter(body.query, { exports: false });
  },

  CopyStmt(body, walk) {
    const { found } = walk;
    found.flag(body.is_from ? 'copy_from' : 'copy_to', channel(body));
    if (body.is_from) found.flag('bulk_import');
    if (body.relation) copyRelation(body, walk);
    if (body.query) {
      if (named(body.query)?.kind !== 'SelectStmt') found.flag('copy_dml');
      walk.enter(body.query);
    }
    walk.visit(body.options);
    walk.visit(body.whereClause);
  },

  ViewStmt(body, walk) {
    if (body.replace) walk.found.flag('replace');
    if (body.view) walk.visitAs('RangeVar', body.view, 'ViewStmt.view');
    walk.at({ exports: false }).visit(body.query);
    walk.visit(body.options);
  },

  CreateTableAsStmt(body, walk) {
    if (body.objtype === 'OBJECT_MATVIEW') walk.found.flag('view');
    if (body.into) walk.visitAs('IntoClause', body.into);
    walk.at({ place: 'statement', exports: false }).visit(body.query);
  },

  CreateSchemaStmt(body, walk) {
    for (const element of items(body.schemaElts)) walk.enter(element);
  },

  RuleStmt(body, walk) {
    if (body.replace) walk.found.flag('replace');
    if (body.relation) walk.visitAs('RangeVar', body.relation, 'RuleStmt.relation');
    walk.at({ place: 'inner' }).visit(body.whereClause);
    for (const action of items(body.actions)) walk.enter(action, { exports: false });
  },
};

/** EXPLAIN runs the statement where any ANALYZE option is on: with several, the last one counts, so none is trusted. */
function isAnalyze(options: unknown): boolean {
  return items(options).some((item) => {
    const option = bodyOf(item, 'DefElem');
    if (option?.defname !== 'analyze') return false;
    const arg = named(option.arg);
    if (!arg) return true;
    const value = arg.body.sval ?? arg.body.boolval ?? arg.body.ival ?? false;
    return !['false', 'off', '0'].includes(String(value).toLowerCase());
  });
}

function channel(body: Body<'CopyStmt'>): string {
  if (body.is_program) return 'copy_program';
  if (body.filename !== undefined) return 'copy_file';
  return body.is_from ? 'copy_stdin' : 'copy_stdout';
}

function copyRelation(body: Body<'CopyStmt'>, walk: Walk): void {
  if (!body.relation) return;
  // A COPY target is never a common table expression: it has no WITH.
  walk.visitAs('RangeVar', body.relation, body.is_from ? 'InsertStmt.relation' : 'CopyStmt.relation');
  if (!body.is_from) walk.found.flag('bulk_export');
}
