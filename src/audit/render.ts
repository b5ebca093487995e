/** Owns how a record reads in a terminal: one line, nothing in it that could steer the terminal. Must never be parsed. */

import type { Json } from '../core/facts.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';

/** Characters of the action that are shown. */
const ACTION = 160;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** One readable line for a line of the log; a line that is no record is shown as what it is. */
export function renderRecord(line: string): string {
  const record = objectOf(parsed(line));
  if (!record) return `? ${printable(line.slice(0, ACTION))}`;
  const policy = objectOf(record.policy);
  const rules = listOf(policy?.rules).map((rule) => textOf(objectOf(rule)?.id));
  const parts = [
    textOf(record.time),
    `#${textOf(record.seq)}`,
    textOf(record.type),
    policy ? textOf(policy.effect).toUpperCase() : '',
    textOf(record.agent),
    textOf(record.ticket),
    actionOf(objectOf(record.action)),
    rules.length > 0 ? `[${rules.join(' ')}]` : '',
    detailOf(objectOf(record.detail)),
  ];
  return parts
    .filter((part) => part !== '')
    .map(printable)
    .join('  ');
}

function actionOf(action: JsonObject | null): string {
  if (!action) return '';
  const { text, method, url, path, host } = action;
  const target = textOf(url) || `${textOf(host)}${textOf(path)}`;
  const shown = textOf(text) || [textOf(method), target].filter((part) => part !== '').join(' ');
  return shown.length > ACTION ? `${shown.slice(0, ACTION)}…` : shown;
}

function detailOf(detail: JsonObject | null): string {
  if (!detail) return '';
  return Object.entries(detail)
    .filter(([, value]) => value !== null)
    .map(
      ([key, value]) =>
        `${key}=${(typeof value === 'string' ? value : JSON.stringify(value)).slice(0, ACTION)}`,
    )
    .join(' ');
}

/** White space becomes a space, and what does not print an escape. */
function printable(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(UNPRINTABLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

function parsed(line: string): Json {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function objectOf(value: Json | undefined): JsonObject | null {
  return isJsonObject(value) ? value : null;
}

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

function textOf(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
