/** Owns the records that the pipeline leaves: decisions and outcomes. Must never add what the action's own record lacks. */

import type { Action, Outcome } from '../core/admission.ts';
import type { Verdict } from '../core/decision.ts';
import type { Agent, Json } from '../core/facts.ts';
import type { Permit } from '../core/permit.ts';
import { draft, type RecordDraft } from '../core/record.ts';

export function decisionRecord(
  id: string,
  action: Action,
  agent: Agent,
  verdict: Verdict,
  ticket: string | null,
  detail: { readonly [key: string]: Json },
): RecordDraft {
  const { decision, revision, failure } = verdict;
  return draft('decision', {
    id,
    agent: agent.id,
    kind: action.facts.kind,
    action: action.record,
    fingerprint: action.fingerprint,
    policy: { revision, effect: decision.effect, rules: decision.rules },
    ticket,
    detail: failure ? { ...detail, failure } : detail,
  });
}

export function outcomeRecord(permit: Permit, outcome: Outcome, agent: Agent): RecordDraft {
  return draft('outcome', {
    id: permit.decision,
    agent: agent.id,
    ticket: permit.ticket,
    detail: { status: outcome.status, ...outcome.detail },
  });
}
