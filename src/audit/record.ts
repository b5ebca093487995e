/**
 * Owns the form of one record: a draft in, one line of JSON out, keys in a fixed order, bounded in size. Must never
 * know the file it goes to, nor read a clock.
 */

import { Fault } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { RecordDraft } from '../core/record.ts';
import { type Capturer, jsonWithin } from './capture.ts';

/** The version of the form. Later versions add keys only under a new number. */
export const RECORD_VERSION = 1;

/**
 * Characters that JSON allows bare but that end a line or steer a terminal for some readers: C1 controls, U+2028,
 * U+2029, directional marks. Written as escapes, so that `cat` shows what is there.
 */
const UNSAFE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;
const EACH_UNSAFE = new RegExp(UNSAFE, 'g');

/** Characters kept of `detail` in a record that is too large; the action is bounded already. */
const CUT_DETAIL = 8 * 1024;

/**
 * The record as one line, without a newline. `time` is epoch milliseconds.
 * @throws Fault when the draft has no JSON form or cannot be made small enough
 */
export function encodeRecord(seq: number, time: number, draft: RecordDraft, capture: Capturer): string {
  try {
    const action = capture(draft.action, draft.kind);
    const line = lineOf(seq, time, draft, action, policyOf(draft), JSON.stringify(draft.detail));
    if (fits(line)) return line;
    const detail = jsonWithin({ ...draft.detail }, CUT_DETAIL);
    const smaller = lineOf(seq, time, draft, action, shortPolicyOf(draft), detail);
    if (fits(smaller)) return smaller;
  } catch (error) {
    throw new Fault('evidence_unavailable', 'a record has no JSON form', { cause: error });
  }
  throw new Fault('evidence_unavailable', 'a record is too large for the audit log');
}

/** The keys in their fixed order. `action`, `policy` and `detail` come as JSON. */
function lineOf(
  seq: number,
  time: number,
  draft: RecordDraft,
  action: string,
  policy: string,
  detail: string,
) {
  const { fingerprint } = draft;
  const line =
    `{"v":${RECORD_VERSION},"seq":${seq},"time":"${new Date(time).toISOString()}","type":${JSON.stringify(draft.type)},` +
    `"id":${JSON.stringify(draft.id)},"agent":${JSON.stringify(draft.agent)},"kind":${JSON.stringify(draft.kind)},` +
    `"action":${action},"fingerprint":${
      fingerprint ? JSON.stringify({ exact: fingerprint.exact, shape: fingerprint.shape }) : 'null'
    },"policy":${policy},"ticket":${JSON.stringify(draft.ticket)},"detail":${detail}}`;
  return UNSAFE.test(line) ? line.replace(EACH_UNSAFE, escaped) : line;
}

function policyOf({ policy }: RecordDraft): string {
  if (!policy) return 'null';
  return JSON.stringify({ revision: policy.revision, effect: policy.effect, rules: policy.rules });
}

function shortPolicyOf({ policy }: RecordDraft): string {
  if (!policy) return 'null';
  const rules = policy.rules.slice(0, 10).map((rule) => ({
    ...rule,
    id: rule.id.slice(0, 200),
    reason: rule.reason.slice(0, 500),
    controls: rule.controls.slice(0, 10),
  }));
  const { revision, effect } = policy;
  return JSON.stringify({ revision, effect, rules, cut: true, count: policy.rules.length });
}

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

function fits(line: string): boolean {
  // A UTF-16 unit takes at most three octets, so most lines need no counting.
  return line.length * 3 <= LIMITS.auditRecord || Buffer.byteLength(line) <= LIMITS.auditRecord;
}
