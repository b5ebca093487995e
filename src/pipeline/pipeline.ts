/**
 * Owns the one way upstream: decide, wait for people where policy says so, leave evidence, mint the permit.
 * Must never know a protocol, a socket, or how policy and people come to their answers.
 */

import type { Action, Admission, Caller, Pipeline } from '../core/admission.ts';
import { failedVerdict, type Verdict } from '../core/decision.ts';
import { policyInput } from '../core/facts.ts';
import { mintPermit } from '../core/permit.ts';
import { type Refusal, refusalFrom } from '../core/refusal.ts';
import { denial, stopped } from './denial.ts';
import type { PipelineDeps } from './deps.ts';
import { decisionRecord, outcomeRecord } from './evidence.ts';
import { holdUntilAnswered } from './hold.ts';

export function createPipeline(deps: PipelineDeps): Pipeline {
  const { evidence, ids } = deps;
  return {
    async admit(action, caller) {
      try {
        const admission = await admit(deps, action, caller);
        if ('refusal' in admission) deps.meter.refused(action.facts.kind, admission.refusal.code);
        return admission;
      } catch (error) {
        const refused = refusalFrom(error);
        deps.meter.refused(action.facts.kind, refused.code);
        return { refusal: refused };
      }
    },
    async preview(action) {
      try {
        return await preview(deps, action);
      } catch (error) {
        return refusalFrom(error);
      }
    },
    async settle(permit, outcome) {
      try {
        await evidence.append(outcomeRecord(permit, outcome, deps.agent));
      } catch {
        // The log refuses every later append once one has failed, so that nothing new is admitted: the outcome
        // of what already ran is all that can be missing, and verification shows where the log ends.
      }
    },
    session: (digest) => mintPermit('session', ids.decision(), digest, null),
  };
}

async function admit(deps: PipelineDeps, action: Action, caller: Caller): Promise<Admission> {
  if (deps.stopping.aborted) return { refusal: stopped() };
  const id = deps.ids.decision();
  if (action.barred) return { refusal: await bar(deps, action, action.barred, id) };
  const verdict = await judge(deps, action);
  if (deps.mode === 'enforce' && verdict.decision.effect === 'hold' && action.whole) {
    // A person approves all of it or nothing: what is still arriving is read first, and judged again as a whole.
    const whole = await action.whole();
    if ('code' in whole) return { refusal: whole };
    return whole.barred
      ? { refusal: await bar(deps, whole, whole.barred, id) }
      : follow(deps, whole, caller, id, await judge(deps, whole));
  }
  return follow(deps, action, caller, id, verdict);
}

async function follow(
  deps: PipelineDeps,
  action: Action,
  caller: Caller,
  id: string,
  verdict: Verdict,
): Promise<Admission> {
  const { effect } = verdict.decision;
  if (deps.mode === 'shadow' || effect === 'allow') return allow(deps, action, id, verdict);
  if (effect === 'deny') return { refusal: await deny(deps, action, id, verdict) };
  return holdUntilAnswered(deps, { action, caller, id, verdict, judge: () => judge(deps, action) });
}

/** What the protocol forbids, in every mode and whatever policy would say; evidence of it all the same. */
async function bar(deps: PipelineDeps, action: Action, barred: Refusal, id: string): Promise<Refusal> {
  const verdict = failedVerdict(barred.code, barred.reason, 'none');
  await deps.evidence.append(decisionRecord(id, action, deps.agent, verdict, null, { barred: true }));
  return { ...barred, rules: verdict.decision.rules, decision: id };
}

/** Judges for denial only: what would be held is not held here, and an allow leaves no record. */
async function preview(deps: PipelineDeps, action: Action): Promise<Refusal | null> {
  if (deps.stopping.aborted) return stopped();
  if (action.barred) return bar(deps, action, action.barred, deps.ids.decision());
  const verdict = await judge(deps, action);
  if (deps.mode === 'shadow' || verdict.decision.effect !== 'deny') return null;
  return deny(deps, action, deps.ids.decision(), verdict);
}

async function judge(deps: PipelineDeps, action: Action): Promise<Verdict> {
  const started = deps.clock.now();
  const verdict = await deps.policy.decide(policyInput(action.facts, deps.agent, started));
  const seconds = (deps.clock.now() - started) / 1000;
  deps.meter.decided(action.facts.kind, verdict.decision.effect, seconds);
  return verdict;
}

async function allow(deps: PipelineDeps, action: Action, id: string, verdict: Verdict): Promise<Admission> {
  const record = decisionRecord(id, action, deps.agent, verdict, null, { mode: deps.mode });
  await deps.evidence.append(record);
  const permit = mintPermit('action', id, action.fingerprint.exact, null);
  return { permit, decision: verdict.decision, ticket: null };
}

async function deny(deps: PipelineDeps, action: Action, id: string, verdict: Verdict): Promise<Refusal> {
  await deps.evidence.append(decisionRecord(id, action, deps.agent, verdict, null, { mode: deps.mode }));
  return denial(verdict, id, null);
}
