/**
 * Owns what parts hand to the audit log: a draft of one record (design section 9). The log adds `v`, `seq` and
 * `time`. Must never know the file's form, nor carry a secret: whoever drafts has redacted.
 */

import type { RuleHit } from './decision.ts';
import type { Facts, Json } from './facts.ts';
import type { Fingerprint } from './fingerprint.ts';

export type RecordType =
  | 'started'
  | 'stopped'
  | 'policy_loaded'
  | 'config_changed'
  | 'decision'
  | 'hold_opened'
  | 'approval'
  | 'hold_closed'
  | 'grant'
  | 'outcome'
  | 'gap';

export interface RecordDraft {
  readonly type: RecordType;
  /** Joins the records of one action: its decision id. Null for records about the process. */
  readonly id: string | null;
  readonly agent: string | null;
  readonly kind: Facts['kind'] | null;
  /** What it was, in the protocol's words: `{ text, … }`; what `audit.capture` lets through. */
  readonly action: Json;
  readonly fingerprint: Fingerprint | null;
  readonly policy: {
    readonly revision: string;
    readonly effect: string;
    readonly rules: readonly RuleHit[];
  } | null;
  readonly ticket: string | null;
  /** What only this type has: a reviewer and reason, an outcome's status and counts … */
  readonly detail: { readonly [key: string]: Json };
}

export function draft(type: RecordType, more: Partial<RecordDraft> = {}): RecordDraft {
  return {
    id: null,
    agent: null,
    kind: null,
    action: null,
    fingerprint: null,
    policy: null,
    ticket: null,
    detail: {},
    ...more,
    type,
  };
}
