/**
 * Owns statements that change what the database is: functions, triggers, tables, roles, extensions, publications,
 * servers. Their command's own flags are in commands.ts; here is what depends on their content.
 */

import { OPERATORS, TYPES } from './builtin-names.ts';
import { isBuiltinFunction } from './functions.ts';
import { qualified } from './relations.ts';
import { isSecretOption } from './secrets.ts';
import { bodyOf, items } from './tree.ts';
import type { Handlers, Walk } from './walk.ts';

export const definitionHandlers: Handlers = {
  CreateFunctionStmt(body, walk) {
    const { found } = walk;
    if (body.replace) found.flag('replace');
    const name = qualified(body.funcname);
    // PostgreSQL's own is found first only as long as nobody puts another schema before pg_catalog.
    if (name && isBuiltinFunction({ schema: null, name: name.name })) found.flag('shadow');
    noteRoutine(body.options, walk);
    walk.at({ place: 'inner' }).visit(body.parameters);
    for (const statement of items(body.sql_body).flatMap((item) => items(item))) {
      walk.enter(statement, { exports: false });
    }
    if (bodyOf(body.sql_body, 'ReturnStmt')) walk.at({ place: 'inner' }).visit(body.sql_body);
  },

  AlterFunctionStmt(body, walk) {
    noteRoutine(body.actions, walk);
  },

  DoStmt(body, walk) {
    noteRoutine(body.args, walk);
  },

  // What is called is a procedure: `call` says so, and its arguments may call functions.
  CallStmt(body, walk) {
    const name = qualified(body.funccall?.funcname);
    if (name) walk.found.call(name);
    if (body.funccall) walk.descend('FuncCall', body.funccall, 'funcname');
  },

  CreateTrigStmt(body, walk) {
    if (body.replace) walk.found.flag('replace');
    noteCalled(body.funcname, walk);
    walk.descend('CreateTrigStmt', body, 'funcname', 'columns', 'args');
  },

  CreateEventTrigStmt(body, walk) {
    noteCalled(body.funcname, walk);
  },

  CreatePLangStmt(body, walk) {
    if (body.replace) walk.found.flag('replace');
    if (!body.pltrusted) walk.found.flag('untrusted_language');
  },

  CreateExtensionStmt(body, walk) {
    if (isUntrusted(body.extname ?? '')) walk.found.flag('untrusted_language');
    walk.visit(body.options);
  },

  DefineStmt(body, walk) {
    const { found } = walk;
    if (body.replace) found.flag('replace');
    const name = qualified(body.defnames)?.name ?? '';
    const hides =
      (body.kind === 'OBJECT_OPERATOR' && OPERATORS.has(name)) ||
      (body.kind === 'OBJECT_AGGREGATE' && isBuiltinFunction({ schema: null, name })) ||
      (body.kind === 'OBJECT_TYPE' && TYPES.has(name));
    if (hides) found.flag('shadow');
    if (body.kind === 'OBJECT_OPERATOR' || body.kind === 'OBJECT_AGGREGATE') found.flag('hidden_sql');
  },

  AlterTableCmd(body, walk) {
    for (const [form, flag] of TABLE_COMMANDS) if (form.test(body.subtype ?? '')) walk.found.flag(flag);
    if (body.behavior === 'DROP_CASCADE') walk.found.flag('cascade');
    walk.at({ place: 'inner' }).descend('AlterTableCmd', body);
  },

  PublicationObjSpec(body, walk) {
    if (body.pubobjtype?.startsWith('PUBLICATIONOBJ_TABLES_IN')) walk.found.flag('schema_wide');
    walk.descend('PublicationObjSpec', body);
  },

  VacuumStmt(body, walk) {
    // FULL rewrites under an ACCESS EXCLUSIVE lock.
    const full = items(body.options).some((item) => bodyOf(item, 'DefElem')?.defname === 'full');
    if (full) walk.found.flag('lock');
    walk.visit(body.rels);
  },

  DefElem(body, walk) {
    const given = bodyOf(body.arg, 'String')?.sval;
    if (given !== undefined && isSecretOption(body.defname ?? '')) walk.found.flag('secret_literal');
    walk.visit(body.arg);
  },

  CreateSubscriptionStmt(body, walk) {
    walk.visit({ String: { sval: body.conninfo ?? '' } });
    walk.visit(body.options);
  },

  AlterSubscriptionStmt(body, walk) {
    walk.visit({ String: { sval: body.conninfo ?? '' } });
    walk.visit(body.options);
  },
};

/** ALTER TABLE subcommands that belong to a family of their own. */
const TABLE_COMMANDS: readonly (readonly [RegExp, string])[] = [
  [/RowSecurity$/, 'rls'],
  [/Trig(?:All|User)?$/, 'trigger'],
  [/^AT_(?:En|Dis)able\w*Rule$/, 'rule'],
  [/^AT_ChangeOwner$/, 'privilege'],
];

/** Options of CREATE FUNCTION, ALTER FUNCTION and DO: language, SECURITY DEFINER, a body as text. */
function noteRoutine(options: unknown, walk: Walk): void {
  for (const item of items(options)) {
    const option = bodyOf(item, 'DefElem');
    if (option?.defname === 'as') walk.found.flag('hidden_sql');
    if (option?.defname === 'security' && bodyOf(option.arg, 'Boolean')?.boolval) {
      walk.found.flag('security_definer');
    }
    if (option?.defname === 'language' && isUntrusted(bodyOf(option.arg, 'String')?.sval ?? '')) {
      walk.found.flag('untrusted_language');
    }
  }
}

/** Languages that can do what the server's own process can: the manual's untrusted ones, and machine code. */
function isUntrusted(language: string): boolean {
  return /^(?:c|internal|pl\w*u|plr|plsh)$/i.test(language);
}

/** A function that is named, to be called later by the server. */
function noteCalled(funcname: unknown, walk: Walk): void {
  const name = qualified(funcname);
  if (name) walk.found.call(name);
}
