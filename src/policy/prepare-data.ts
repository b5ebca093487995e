/**
 * Owns the policy's data: the knobs of `data.config`, what `policy.data` overrides in them, and their prepared form.
 * Lists of names are turned into exact names, prefixes and suffixes once, because WebAssembly compiles a glob anew for
 * each request. Must never accept a knob that does nothing.
 */

import { z } from 'zod';
import type { Json } from '../core/facts.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { PolicyLoadError } from './load-error.ts';

/** Names of one list, by how they are compared. Under the list's own path in `data.prepared`. */
export interface Patterns {
  readonly exact: Record<string, true>;
  readonly prefixes: readonly string[];
  readonly suffixes: readonly string[];
  /** glob.match patterns: what has a wildcard in the middle, or several. */
  readonly globs: readonly string[];
}

const names = z.array(z.string().min(1));
const hosts = z.array(
  z
    .string()
    .min(1)
    .refine((host) => !host.slice(1).includes('*') && (!host.startsWith('*') || host.startsWith('*.')), {
      message: 'a wildcard stands first and alone, as in *.example.com',
    }),
);
const groups = names.min(1);
const approvers = z.record(
  z.string(),
  z.union([groups, z.strictObject({ groups, quorum: z.int().positive().max(100) })]),
);

/** The knobs that the packs here know. Packs of others may bring more. */
const knobs = z.looseObject({
  default_effect: z.enum(['allow', 'hold', 'deny']).optional(),
  hosts: z.looseObject({ known: hosts.optional(), denied: hosts.optional() }).optional(),
  relations: z.looseObject({ sensitive: names.optional() }).optional(),
  rows: z.looseObject({ bulk: z.int().positive().optional() }).optional(),
  namespaces: z.looseObject({ protected: names.optional() }).optional(),
  branches: z.looseObject({ protected: names.optional() }).optional(),
  approvers: approvers.optional(),
});

/** Knobs whose own keys are free: rule ids. */
const OPEN: ReadonlySet<string> = new Set(['approvers']);

/** `over` laid over `base`, key by key: objects merge, everything else is replaced. @throws PolicyLoadError */
export function overlayConfig(base: JsonObject, over: JsonObject): JsonObject {
  const problems: string[] = [];
  const merged = overlay(base, over, [], problems);
  if (problems.length > 0) throw new PolicyLoadError(problems);
  return merged;
}

function overlay(base: JsonObject, over: JsonObject, path: string[], problems: string[]): JsonObject {
  const merged: JsonObject = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const at = [...path, key];
    const below = Object.hasOwn(base, key) ? base[key] : undefined;
    if (below === undefined && !OPEN.has(path[0] ?? '')) {
      problems.push(`${at.join('.')}: the policy has no such knob (it has ${Object.keys(base).join(', ')})`);
    } else if (isJsonObject(below) && isJsonObject(value) && path.length === 0) {
      merged[key] = overlay(below, value, at, problems);
    } else {
      merged[key] = value;
    }
  }
  return merged;
}

/** `data.prepared` for this configuration. @throws PolicyLoadError where a knob has another form than it should. */
export function prepareData(config: JsonObject): JsonObject {
  const checked = knobs.safeParse(config);
  if (!checked.success) {
    throw new PolicyLoadError(
      checked.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    );
  }
  const prepared: JsonObject = { version: 1 };
  for (const [knob, value] of Object.entries(config)) {
    if (!isJsonObject(value)) continue;
    const lists: JsonObject = {};
    for (const [name, list] of Object.entries(value)) {
      if (isTexts(list)) lists[name] = toJson(compile(knob === 'hosts' ? list.map(hostForm) : list));
    }
    prepared[knob] = lists;
  }
  const sensitive = isJsonObject(config.relations) ? config.relations.sensitive : undefined;
  if (isTexts(sensitive) && isJsonObject(prepared.relations)) {
    prepared.relations.sensitive = relationPatterns(sensitive);
  }
  return prepared;
}

const hostForm = (host: string): string => host.toLowerCase().replace(/\.$/, '');

/** A bare name means that name in any schema; `schema.name` also means the bare name, as it may be the one. */
function relationPatterns(list: readonly string[]): JsonObject {
  const lower = list.map((name) => name.toLowerCase());
  const qualified = lower.filter((name) => name.includes('.'));
  return {
    names: toJson(compile(lower.filter((name) => !name.includes('.')))),
    qualified: toJson(compile(qualified)),
    unqualified: toJson(compile(qualified.map((name) => name.slice(name.lastIndexOf('.') + 1)))),
  };
}

/** Only `*` is a wildcard. */
export function compile(list: readonly string[]): Patterns {
  // Without a prototype, so that every name is a name.
  const exact: Record<string, true> = Object.create(null);
  const prefixes: string[] = [];
  const suffixes: string[] = [];
  const globs: string[] = [];
  for (const pattern of list) {
    const star = pattern.indexOf('*');
    if (star < 0) exact[pattern] = true;
    else if (star !== pattern.lastIndexOf('*')) globs.push(globOf(pattern));
    else if (star === pattern.length - 1) prefixes.push(pattern.slice(0, -1));
    else if (star === 0) suffixes.push(pattern.slice(1));
    else globs.push(globOf(pattern));
  }
  return { exact, prefixes, suffixes, globs };
}

const globOf = (pattern: string): string => pattern.replace(/[\\?[\]{}!-]/g, '\\$&');

const toJson = (patterns: Patterns): Json => ({
  exact: patterns.exact,
  prefixes: [...patterns.prefixes],
  suffixes: [...patterns.suffixes],
  globs: [...patterns.globs],
});

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
