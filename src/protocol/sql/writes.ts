/**
 * Owns INSERT, UPDATE, DELETE and MERGE: their targets, which are never common table expressions, their filters, and
 * what RETURNING gives back. Must never know where in a statement they stand, but for the name in `nested`.
 */

import { bulkInsert, bulkReturning, narrowsWrite } from './bulk.ts';
import { selectivity } from './predicate.ts';
import { rowName, rowNames } from './relations.ts';
import { noteSelectivity, openWith } from './select.ts';
import { type Body, bodyOf, items } from './tree.ts';
import type { Handlers, Walk } from './walk.ts';

type WriteKind = 'InsertStmt' | 'UpdateStmt' | 'DeleteStmt' | 'MergeStmt';
type WriteBody = Pick<Body<'DeleteStmt'>, 'relation' | 'withClause' | 'returningClause'>;

export const writeHandlers: Handlers = {
  InsertStmt(body, outer) {
    const walk = begin('InsertStmt', body, outer, []);
    walk.at({ place: 'source' }).visit(body.selectStmt);
    if (bulkInsert(body)) walk.found.flag('bulk_import');
    if (body.onConflictClause) {
      if (body.onConflictClause.action === 'ONCONFLICT_UPDATE') walk.found.flag('upsert');
      walk.visitAs('OnConflictClause', body.onConflictClause);
    }
    finish('InsertStmt', body, walk, outer, 'selectStmt', 'onConflictClause');
  },

  UpdateStmt(body, outer) {
    const walk = begin('UpdateStmt', body, outer, rowNames(body.fromClause));
    noteFilter(body, walk);
    noteSetting(body, walk);
    finish('UpdateStmt', body, walk, outer);
  },

  DeleteStmt(body, outer) {
    const walk = begin('DeleteStmt', body, outer, rowNames(body.usingClause));
    noteFilter(body, walk);
    finish('DeleteStmt', body, walk, outer);
  },

  MergeStmt(body, outer) {
    const walk = begin('MergeStmt', body, outer, rowNames([body.sourceRelation]));
    // Within WITH, `cte_dml` and the nested node say what there is to say.
    if (outer.place === 'statement') {
      for (const item of items(body.mergeWhenClauses)) {
        const action = bodyOf(item, 'MergeWhenClause')?.commandType;
        if (action === 'CMD_DELETE') walk.found.flag('merge_delete');
        if (action === 'CMD_INSERT') walk.found.flag('merge_insert');
      }
    }
    finish('MergeStmt', body, walk, outer);
  },
};

function begin(kind: WriteKind, body: WriteBody, outer: Walk, sources: readonly string[]): Walk {
  if (!outer.isRoot(body)) outer.found.nested.push(kind);
  const walk = openWith(body.withClause, outer);
  const target = body.relation ? [rowName(body.relation)] : [];
  if (body.relation) walk.visitAs('RangeVar', body.relation, `${kind}.relation`);
  return walk.at({ place: 'inner', rows: walk.rows.within([...target, ...sources]) });
}

function finish(kind: WriteKind, body: WriteBody, walk: Walk, outer: Walk, ...done: readonly string[]): void {
  walk.descend(kind, body, 'withClause', 'relation', 'returningClause', ...done);
  if (!body.returningClause) return;
  walk.at({ place: 'output' }).visitAs('ReturningClause', body.returningClause);
  // Within WITH, what the outer query makes of the rows decides.
  if (outer.place === 'statement' && walk.exports && bulkReturning(kind, body))
    walk.found.flag('bulk_export');
}

function noteFilter(body: Body<'DeleteStmt'> | Body<'UpdateStmt'>, walk: Walk): void {
  const where = body.whereClause;
  if (where === undefined) {
    walk.found.flag('no_where');
    // Within another statement, that flag may be the other's.
    if (!walk.isRoot(body)) walk.found.flag('tautology');
    return;
  }
  walk.found.flag('has_where');
  noteSelectivity(selectivity(where), false, walk);
  // Such as a join to another relation, which may match every row.
  if (!narrowsWrite(body)) walk.found.flag('tautology');
}

/** pg_settings is a view whose UPDATE sets the session's settings (manual 53.24). */
function noteSetting(body: Body<'UpdateStmt'>, walk: Walk): void {
  if (body.relation?.relname !== 'pg_settings') return;
  if ((body.relation.schemaname ?? 'pg_catalog') !== 'pg_catalog') return;
  walk.found.flag('set_guc');
  walk.found.effects.push({ kind: 'set', name: '?', value: [], local: false });
  walk.found.setting(null);
}
