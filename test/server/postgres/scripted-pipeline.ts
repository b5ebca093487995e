/**
 * A pipeline that does what a test says, by the statement's text: allow, deny, or hold until the test answers. It mints
 * real permits and remembers all that it was asked and told.
 */

import type { Action, Admission, Outcome, Pipeline } from '../../../src/core/admission.ts';
import type { Decision } from '../../../src/core/decision.ts';
import type { PostgresFacts } from '../../../src/core/facts.ts';
import { mintPermit, type Permit } from '../../../src/core/permit.ts';
import { type Refusal, refusal } from '../../../src/core/refusal.ts';
import { type Ticket, ticketId } from '../../../src/core/ticket.ts';

export type Effect = 'allow' | 'deny' | 'hold';

export interface Waiting {
  readonly action: Action;
  readonly ticket: string;
  readonly signal: AbortSignal;
  approve(): void;
  deny(reason: string): void;
}

export interface Script extends Pipeline {
  /** By the facts' text; allow unless told. */
  decide: (sql: PostgresFacts['sql']) => Effect;
  readonly admitted: Action[];
  readonly previewed: Action[];
  readonly settled: { readonly action: Action; readonly outcome: Outcome }[];
  readonly withdrawn: string[];
  /** The next action that waits for an answer. */
  waiting(): Promise<Waiting>;
  /** Resolves once `count` actions are settled. */
  outcomes(count: number): Promise<void>;
  reset(): void;
}

const ALLOWED: Decision = {
  effect: 'allow',
  rules: [],
  requirements: [],
  expires: null,
  grant: null,
  limits: null,
  mask: null,
  message: '',
};

export function sqlOf(action: Action): PostgresFacts['sql'] {
  if (action.facts.kind !== 'postgres') throw new Error('not a PostgreSQL action');
  return action.facts.sql;
}

export function scriptedPipeline(): Script {
  let count = 0;
  const held: Waiting[] = [];
  const awaitingHold: ((waiting: Waiting) => void)[] = [];
  const awaitingOutcomes: { count: number; resolve: () => void }[] = [];
  const actions = new Map<Permit, Action>();
  const rule = { id: 'test.rule', reason: 'the test said so', severity: 'high', controls: [] } as const;

  const permitFor = (action: Action, ticket: string | null): Admission => {
    count += 1;
    const permit = mintPermit('action', `decision-${count}`, action.fingerprint.exact, ticket);
    actions.set(permit, action);
    return { permit, decision: ALLOWED, ticket };
  };
  const denied = (more: Partial<Refusal> = {}): Refusal =>
    refusal('policy_denied', 'denied by the test', { rules: [rule], decision: 'decision-d', ...more });

  const script: Script = {
    decide: () => 'allow',
    admitted: [],
    previewed: [],
    settled: [],
    withdrawn: [],
    async admit(action, caller) {
      script.admitted.push(action);
      if (action.barred) return { refusal: action.barred };
      const effect = script.decide(sqlOf(action));
      if (effect === 'allow') return permitFor(action, null);
      if (effect === 'deny') return { refusal: denied() };
      return new Promise((resolve) => {
        count += 1;
        const ticket = ticketId(Buffer.from([0, 0, 0, 0, count]));
        const withdraw = () => {
          script.withdrawn.push(ticket);
          resolve({ refusal: refusal('hold_withdrawn', `withdrawn, ticket ${ticket}`, { ticket }) });
        };
        caller.signal.addEventListener('abort', withdraw);
        if (caller.signal.aborted) return withdraw();
        const waiting: Waiting = {
          action,
          ticket,
          signal: caller.signal,
          approve() {
            const why = caller.changed?.() ?? null;
            resolve(
              why === null ? permitFor(action, ticket) : { refusal: refusal('hold_stale', why, { ticket }) },
            );
          },
          deny: (reason) =>
            resolve({
              refusal: refusal('hold_denied', `denied by alice: ${reason}`, { ticket, rules: [rule] }),
            }),
        };
        caller.onHeld?.({ id: ticket, message: '' } as Ticket);
        const next = awaitingHold.shift();
        if (next) next(waiting);
        else held.push(waiting);
      });
    },
    async preview(action) {
      script.previewed.push(action);
      if (action.barred) return action.barred;
      return script.decide(sqlOf(action)) === 'deny' ? denied() : null;
    },
    async settle(permit, outcome) {
      const action = actions.get(permit);
      if (!action) throw new Error('an outcome for a permit that was never given');
      actions.delete(permit);
      script.settled.push({ action, outcome });
      for (const waiter of awaitingOutcomes) if (script.settled.length >= waiter.count) waiter.resolve();
    },
    session: (digest) => mintPermit('session', 'session', digest, null),
    waiting: () => {
      const first = held.shift();
      return first ? Promise.resolve(first) : new Promise((resolve) => awaitingHold.push(resolve));
    },
    outcomes: (wanted) =>
      script.settled.length >= wanted
        ? Promise.resolve()
        : new Promise((resolve) => awaitingOutcomes.push({ count: wanted, resolve })),
    reset() {
      script.decide = () => 'allow';
      for (const list of [script.admitted, script.previewed, script.settled, script.withdrawn])
        list.length = 0;
      held.length = 0;
    },
  };
  return script;
}
