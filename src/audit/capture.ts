/**
 * Owns how much of an action goes into the log (`audit.capture`), and that no secret does. It redacts by key, and
 * only by a list of keys that are known to be harmless: what is not listed is left out and named in `omitted`.
 * Must never know who drafted the action, nor the record's form.
 *
 * The convention for a draft's `action`, a JSON object, under `redacted`:
 *   text        the statement without its constants and comments; for kind http, a title whose words go as `url` does
 *   parameters  list of strings, nulls or {value, type, format}: only type and format are kept
 *   url, path   kept without user information, query values, fragment and what looks like a credential
 *   PLAIN keys  kept; objects and lists in them go by the same rules
 * Any other key (headers, body, …) is left out.
 */

import { hash } from 'node:crypto';
import type { Facts, Json } from '../core/facts.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { LIMITS } from '../core/limits.ts';
import { withoutSecrets } from '../core/sql-secrets.ts';
import { maskSecrets } from './secret-shapes.ts';
import { redactSql } from './sql-redaction.ts';

export type Capture = 'redacted' | 'full' | 'none';
type Kind = Facts['kind'] | null;

/** Values of these are names, numbers and verdicts: they say what was done, not with which data. */
const PLAIN = new Set(
  [
    'method scheme host authority port protocol upgrade destination destination_class address class size ambiguous',
    'truncated_body body_sha256 body_octets body_cut sha256 content_type service operation resource namespace name',
    'subresource access tags action database user role search_path in_transaction command commands statements node',
    'nested reads writes functions schema relation relations limit flags fingerprint parsed estimate rows cost resolved',
    'kind type format mode parameter_count',
  ].flatMap((line) => line.split(' ')),
);
/** Never captured, not even in full: they are credentials by definition. */
const CREDENTIALS =
  /^(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key|api-key|x-amz-security-token|x-auth-token|password|private-token)$/i;

/** The JSON of what the log keeps of an action: at most about `LIMITS.auditCapture` characters, and saying so where cut. */
export type Capturer = (action: Json, kind: Kind) => string;

/** Texts are redacted once and remembered, since agents repeat themselves. */
const MEMO_ENTRIES = 1_000;
const MEMO_TEXT = 4 * 1024;

export function createCapturer(capture: Capture): Capturer {
  if (capture === 'none') return () => 'null';
  if (capture === 'full')
    return (action, kind) => jsonWithin(withoutCredentials(action, kind), LIMITS.auditCapture);
  const titles = { postgres: remembered(redactSql), http: redactTitle };
  return (action, kind) => jsonWithin(redacted(action, kind && titles[kind]), LIMITS.auditCapture);
}

function remembered(redact: (text: string) => string): (text: string) => string {
  const memo = new Map<string, string>();
  return (text) => {
    if (text.length > MEMO_TEXT) return redact(text);
    const known = memo.get(text);
    if (known !== undefined) return known;
    const shown = redact(text);
    if (memo.size >= MEMO_ENTRIES) memo.clear();
    memo.set(text, shown);
    return shown;
  };
}

/** `title` redacts what `text` says; null where nobody knows what that is. */
function redacted(value: Json, title: ((text: string) => string) | null): Json {
  if (typeof value === 'string') return maskSecrets(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => redacted(item, title));
  const kept: JsonObject = {};
  const omitted: string[] = [];
  for (const [key, item] of Object.entries(value)) {
    if (PLAIN.has(key)) kept[key] = redacted(item, title);
    else if (key === 'text' && typeof item === 'string' && title) kept[key] = title(item);
    else if (key === 'parameters' && Array.isArray(item)) kept[key] = item.map(withoutValue);
    else if ((key === 'url' || key === 'path') && typeof item === 'string') kept[key] = redactUrl(item);
    else if (item !== null) omitted.push(maskSecrets(key));
  }
  if (omitted.length > 0) kept.omitted = omitted;
  return kept;
}

function withoutValue(parameter: Json): Json {
  if (parameter === null) return null;
  if (typeof parameter !== 'object' || Array.isArray(parameter)) return '…';
  const { value, type, format } = parameter;
  return {
    ...(value === undefined ? {} : { value: value === null ? null : '…' }),
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof format === 'string' ? { format } : {}),
  };
}

/** `GET https://host/path?…`, or the call in its API’s own words. */
function redactTitle(text: string): string {
  return text.split(' ').map(redactUrl).join(' ');
}

/** A URL or a path with query: names stay, values go. */
export function redactUrl(url: string): string {
  const [target = ''] = url.split('#', 1);
  const mark = target.indexOf('?');
  const path = (mark < 0 ? target : target.slice(0, mark))
    .replace(/^([a-z][a-z0-9+.-]*:)?\/\/[^/]*@/i, '$1//')
    .replace(/;[^/]*/g, ';…');
  const shown = path.split('/').map(maskSecrets).join('/');
  if (mark < 0) return shown;
  const query = target
    .slice(mark + 1)
    .split('&')
    .map((pair) => (pair.includes('=') ? `${maskSecrets(pair.slice(0, pair.indexOf('=')))}=…` : '…'));
  return `${shown}?${query.join('&')}`;
}

function withoutCredentials(value: Json, kind: Kind): Json {
  if (Array.isArray(value)) return value.map((item) => withoutCredentials(item, kind));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      if (CREDENTIALS.test(key)) return [key, '…'];
      const isSql = kind === 'postgres' && key === 'text' && typeof item === 'string';
      return [key, isSql ? withoutSecrets(item) : withoutCredentials(item, kind)];
    }),
  );
}

/**
 * The JSON of the value when it has at most `characters`, else of what fits: whole fields, a string field cut at the
 * bound, the names of the rest in `omitted`, and `cut: true` with the SHA-256 of the JSON that would have been kept.
 */
export function jsonWithin(value: Json, characters: number): string {
  const whole = JSON.stringify(value);
  if (whole.length <= characters) return whole;
  const kept: JsonObject = {};
  const omitted: string[] = [];
  let room = characters;
  const fields = isJsonObject(value) ? value : { json: whole };
  for (const [key, item] of Object.entries(fields)) {
    const length = JSON.stringify(item).length;
    if (length <= room) kept[key] = item;
    else if (typeof item === 'string') kept[key] = item.slice(0, room).replace(/\p{Cs}$/u, '');
    else if (omitted.length < 20) omitted.push(key.slice(0, 100));
    room -= Math.min(length, room);
  }
  if (omitted.length > 0) kept.omitted = omitted;
  return JSON.stringify({
    ...kept,
    cut: true,
    sha256: hash('sha256', whole, 'hex'),
    characters: whole.length,
  });
}
