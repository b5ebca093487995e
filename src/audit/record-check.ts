/**
 * Owns what a line must be to count as a record of the log, whatever its hash: JSON, the right version, the right
 * place in the sequence, a time. Must never trust the line for anything else.
 */

import type { Json } from '../core/facts.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import { LIMITS } from '../core/limits.ts';
import type { Line } from './lines.ts';

export type CheckedRecord =
  | { readonly ok: false; readonly reason: string }
  | {
      readonly ok: true;
      readonly type: string;
      readonly time: string;
      /** Epoch milliseconds. */
      readonly at: number;
      readonly detail: Json;
      /** What is strange about it, though it may be genuine. */
      readonly odd: string | null;
    };

const VERSION = 1;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** Before this was written, no log was. */
const EARLIEST = Date.UTC(2025, 0, 1);
const DAY = 86_400_000;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Reads the line at place `seq`. `now` is epoch milliseconds. */
export function readRecord(line: Line, seq: number, now: number): CheckedRecord {
  if (line.octets.byteLength > LIMITS.auditRecord)
    return { ok: false, reason: `changed: its line is longer than ${LIMITS.auditRecord} octets` };
  const record = objectIn(line.octets);
  if (!record) return { ok: false, reason: 'changed: its line is not a JSON object' };
  if (record.v !== VERSION) return { ok: false, reason: `changed: its version is ${show(record.v)}` };
  if (record.seq !== seq) return { ok: false, reason: orderReason(record.seq, seq) };
  const { time, type } = record;
  const at = typeof time === 'string' && TIME.test(time) ? Date.parse(time) : Number.NaN;
  if (typeof time !== 'string' || typeof type !== 'string' || Number.isNaN(at))
    return { ok: false, reason: 'changed: it has no type or no time' };
  const odd = at < EARLIEST || at > now + DAY ? `its time is absurd: ${time}` : null;
  return { ok: true, type, time, at, detail: record.detail ?? null, odd };
}

function orderReason(found: Json | undefined, seq: number): string {
  if (typeof found === 'number' && found > seq)
    return `removed: record ${found} follows where record ${seq} should be`;
  return `out of order: its line says ${show(found)}`;
}

function objectIn(octets: Buffer): JsonObject | null {
  try {
    const value: Json = JSON.parse(UTF8.decode(octets));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

const show = (value: Json | undefined): string => (JSON.stringify(value) ?? 'nothing').slice(0, 40);
