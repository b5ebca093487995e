/**
 * Owns the life of one held action: ask, wait, park, and release once, after policy was asked again.
 * Must never release what anything has changed about since a person approved it.
 */

import type { Action, Admission, Caller } from '../core/admission.ts';
import type { Requirement, Verdict } from '../core/decision.ts';
import { parseDuration } from '../core/duration.ts';
import type { ErrorCode } from '../core/errors.ts';
import { mintPermit } from '../core/permit.ts';
import type { Hold, HoldResult } from '../core/ports.ts';
import { refusal } from '../core/refusal.ts';
import { denial, stopped } from './denial.ts';
import type { PipelineDeps } from './deps.ts';
import { decisionRecord } from './evidence.ts';
import { waitForAnswer } from './wait.ts';

/** Seconds that a client is told to wait before it asks again for a ticket that is still open. */
const RETRY_AFTER = 15;

/** An action that policy holds, with everything that its way through the desk needs. */
export interface Held {
  readonly action: Action;
  readonly caller: Caller;
  /** The decision's id. */
  readonly id: string;
  /** The verdict that holds it. */
  readonly verdict: Verdict;
  /** Asks policy anew. */
  judge(): Promise<Verdict>;
}

/** Asks people, waits, and admits the action once when they agree. @throws Fault when evidence or store fail. */
export async function holdUntilAnswered(deps: PipelineDeps, held: Held): Promise<Admission> {
  const { action, id, verdict } = held;
  const { decision } = verdict;
  const started = deps.clock.now();
  const waited = () => deps.clock.now() - started;
  for (;;) {
    const hold = await deps.desk.submit({
      decision: id,
      agent: deps.agent,
      kind: action.facts.kind,
      fingerprint: action.fingerprint,
      display: action.display,
      rules: decision.rules,
      requirements: decision.requirements,
      message: decision.message,
      revision: verdict.revision,
      expiresIn: parseDuration(decision.expires ?? '') ?? deps.expiresIn,
    });
    if ('code' in hold) return { refusal: { ...hold, rules: decision.rules, decision: id } };
    const admission = await oneHold(deps, held, hold, Math.max(0, action.waitMs - waited()));
    // Another client's identical request used up the approval: this one needs an answer of its own.
    if (admission === 'taken') continue;
    deps.meter.waited('refusal' in admission ? admission.refusal.code : 'released', waited() / 1000);
    return admission;
  }
}

async function oneHold(
  deps: PipelineDeps,
  held: Held,
  hold: Hold,
  waitMs: number,
): Promise<Admission | 'taken'> {
  const { action, caller, id, verdict } = held;
  const ticket = hold.ticket.id;
  const refuse: Refuse = (code, reason, retryAfter = null) => ({
    refusal: refusal(code, reason, { ticket, rules: verdict.decision.rules, decision: id, retryAfter }),
  });
  try {
    await deps.evidence.append(decisionRecord(id, action, deps.agent, verdict, ticket, { mode: deps.mode }));
    if (hold.ticket.state === 'pending') caller.onHeld?.(hold.ticket);
  } catch (error) {
    await hold.leave('the audit log could not be written');
    throw error;
  }
  const answer = await waitForAnswer(hold, caller.signal, deps.stopping, deps.clock, waitMs);
  switch (answer.kind) {
    case 'gone':
      await hold.leave('the client went away before an answer');
      return refuse('hold_withdrawn', `withdrawn: the client went away or cancelled, ticket ${ticket}`);
    case 'stopping':
      await hold.leave('Holdpoint was stopped while the client was waiting');
      return { refusal: { ...stopped(), ticket, decision: id } };
    case 'waited':
      await hold.park();
      return refuse('hold_pending', `waiting for approval, ticket ${ticket}`, RETRY_AFTER);
    case 'answered':
      if (answer.result.state !== 'approved') return notApproved(answer.result, ticket, refuse);
      return release(deps, held, hold, refuse);
  }
}

type Refuse = (code: ErrorCode, reason: string, retryAfter?: number | null) => Admission;

function notApproved(
  result: Exclude<HoldResult, { state: 'approved' }>,
  ticket: string,
  refuse: Refuse,
): Admission | 'taken' {
  switch (result.state) {
    case 'released':
      return 'taken';
    case 'denied':
      return refuse(
        'hold_denied',
        `denied${result.by ? ` by ${result.by}` : ''}: ${result.reason} (ticket ${ticket})`,
      );
    case 'expired':
      return refuse('hold_expired', `nobody answered in time, ticket ${ticket}`);
    case 'withdrawn':
      return refuse('hold_withdrawn', `withdrawn: ${result.reason} (ticket ${ticket})`);
    case 'stale':
      return refuse('hold_stale', `${result.reason} (ticket ${ticket})`);
  }
}

/** What was approved is what runs: every condition is looked at again, and the approval is spent, before the permit. */
async function release(
  deps: PipelineDeps,
  held: Held,
  hold: Hold,
  refuse: Refuse,
): Promise<Admission | 'taken'> {
  const { action, caller, id } = held;
  const ticket = hold.ticket.id;
  const changed = caller.changed?.() ?? null;
  if (changed !== null) {
    await hold.stale(changed);
    return refuse('hold_stale', `${changed} (ticket ${ticket})`);
  }
  const verdict = await held.judge();
  if (verdict.failure !== null) {
    await hold.park();
    return { refusal: { ...denial(verdict, id, ticket), retryAfter: RETRY_AFTER } };
  }
  const now = decisionRecord(id, action, deps.agent, verdict, ticket, {
    mode: deps.mode,
    phase: 'release',
  });
  if (verdict.decision.effect === 'deny') {
    await deps.evidence.append(now);
    await hold.stale(`policy ${verdict.revision} denies it now`);
    return { refusal: denial(verdict, id, ticket) };
  }
  if (asksForOthers(held.verdict, verdict)) {
    const why = `policy ${verdict.revision} asks for other reviewers now`;
    await hold.stale(why);
    return refuse('hold_stale', `${why} (ticket ${ticket})`);
  }
  if (caller.signal.aborted) {
    await hold.leave('the client went away before the release');
    return refuse('hold_withdrawn', `withdrawn: the client went away, ticket ${ticket}`);
  }
  if (!(await hold.release())) return 'taken';
  await deps.evidence.append(now, { durable: true });
  const permit = mintPermit('action', id, action.fingerprint.exact, ticket);
  return { permit, decision: verdict.decision, ticket };
}

/** An approval given under one set of requirements does not satisfy another. */
function asksForOthers(before: Verdict, now: Verdict): boolean {
  if (now.decision.effect !== 'hold') return false;
  const key = (requirements: readonly Requirement[]) => JSON.stringify(requirements);
  return key(before.decision.requirements) !== key(now.decision.requirements);
}
