/**
 * Owns the refusal: what an agent is told when its action does not run. A value, not an exception;
 * each protocol has its own encoder for it. Must never carry a secret or a stack trace.
 */

import type { RuleHit } from './decision.ts';
import { CATALOGUE, type ErrorCode, Fault, ProtocolError } from './errors.ts';

export interface Refusal {
  readonly code: ErrorCode;
  /** One sentence for the agent: why. */
  readonly reason: string;
  readonly rules: readonly RuleHit[];
  /** `HP-…` where a person was asked. */
  readonly ticket: string | null;
  /** The id of the decision record in the audit log, where one was written. */
  readonly decision: string | null;
  /** Seconds after which an identical retry makes sense; null: do not retry. */
  readonly retryAfter: number | null;
}

export function refusal(code: ErrorCode, reason: string, more: Partial<Refusal> = {}): Refusal {
  return {
    rules: [],
    ticket: null,
    decision: null,
    retryAfter: null,
    ...more,
    code,
    reason,
  };
}

/** Turns whatever was thrown into a refusal. What we did not foresee is `internal`, without its text. */
export function refusalFrom(error: unknown): Refusal {
  if (error instanceof Fault || error instanceof ProtocolError) return refusal(error.code, error.message);
  return refusal('internal', CATALOGUE.internal.title);
}
