/** Owns what an agent is told when the pipeline itself refuses. Must never decide whether it does. */

import type { Decision, Verdict } from '../core/decision.ts';
import { type Refusal, refusal } from '../core/refusal.ts';

/** What an agent is told of a denial by policy, or by policy's failure. */
export function denial(verdict: Verdict, id: string, ticket: string | null): Refusal {
  const { decision, failure } = verdict;
  const reason = denialReason(decision);
  return refusal(failure ?? 'policy_denied', reason, { rules: decision.rules, decision: id, ticket });
}

function denialReason(decision: Decision): string {
  if (decision.message) return decision.message;
  return decision.rules.map((rule) => rule.reason).join('; ') || 'denied by policy';
}

export function stopped(): Refusal {
  return refusal('draining', 'Holdpoint is shutting down', { retryAfter: 30 });
}
