/**
 * Owns what goes into the pipeline and comes out of it: an action to judge, its caller, and the admission.
 * Must never know how a verdict comes about.
 */

import type { Decision } from './decision.ts';
import type { Facts, Json } from './facts.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { Permit } from './permit.ts';
import type { Refusal } from './refusal.ts';
import type { Display, Ticket } from './ticket.ts';

/** One thing an agent wants to do, read whole. */
export interface Action {
  readonly facts: Facts;
  readonly fingerprint: Fingerprint;
  /** For reviewers. */
  readonly display: Display;
  /** For the audit log's `action`, redacted. */
  readonly record: Json;
  /** Milliseconds that the client may be kept waiting for a person before it is told to come back. */
  readonly waitMs: number;
  /** What the protocol forbids whatever policy answers: recorded as a denial, never held, answered with this. */
  readonly barred?: Refusal;
  /**
   * Present where the facts are of a part only: a body longer than what is inspected, still arriving. Reads the rest and
   * gives the action over the whole. Asked for once, before a person is; its answer is judged afresh.
   */
  whole?(): Promise<Action | Refusal>;
}

export interface Caller {
  /** Aborts when the client goes away or cancels: a wait is then withdrawn at once. */
  readonly signal: AbortSignal;
  /** Told when a wait begins, to let the client know where the protocol can. */
  onHeld?(ticket: Ticket): void;
  /** Asked right before release: why the action no longer means what was approved, or null. */
  changed?(): string | null;
}

export type Admission =
  | {
      readonly permit: Permit;
      readonly decision: Decision;
      readonly ticket: string | null;
    }
  | { readonly refusal: Refusal };

/** What became of a permitted action. */
export interface Outcome {
  readonly status: 'completed' | 'failed' | 'aborted';
  /** Protocol facts of the result: HTTP status, SQLSTATE, command tag, rows, octets. No payload. */
  readonly detail: { readonly [key: string]: Json };
}

export interface Pipeline {
  /** Judges, waits for people where policy says so, and leaves evidence. Never rejects: trouble is a refusal. */
  admit(action: Action, caller: Caller): Promise<Admission>;
  /** Judges for denial only: a refusal (recorded) where policy denies; null where it would allow or hold. Never rejects. */
  preview(action: Action): Promise<Refusal | null>;
  /** Records what became of it. Never rejects: a log that cannot be written closes the pipeline to new actions. */
  settle(permit: Permit, outcome: Outcome): Promise<void>;
  /** The permit for one connection's plumbing. `digest` is the caller's own name for the connection. */
  session(digest: string): Permit;
}
