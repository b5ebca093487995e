/**
 * Owns how a ticket ends: the evidence first, then the store, then whoever waits, then the doors; and the timer that
 * ends it when nobody else does. What must end and cannot (the log or the store fails) is remembered and tried again,
 * and counts as ended meanwhile. Everything here but `arm` and `stop` is called within a turn of the desk. Must never
 * let a ticket that is over be answered or released.
 */

import { LIMITS } from '../core/limits.ts';
import type { Clock, EvidenceLog, HoldResult, Logger, TicketStore } from '../core/ports.ts';
import { type Answer, type Ticket, type TicketState, TRANSITIONS } from '../core/ticket.ts';
import type { Announcer } from './desk-announce.ts';
import { closedRecord } from './desk-records.ts';
import type { Stakes } from './desk-stakes.ts';

export type Ending = 'denied' | 'expired' | 'withdrawn' | 'released' | 'stale';

export interface EndingsOptions {
  readonly store: TicketStore;
  readonly evidence: EvidenceLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stakes: Stakes;
  readonly announcer: Announcer;
  /** Runs its argument when nothing else of the desk is under way. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
}

export interface Endings {
  /** The ticket as it is now, ended first where it is due. @throws Fault when it is due and cannot be ended. */
  current(ticketId: string): Promise<Ticket | null>;
  /** Null where the ticket has moved meanwhile. @throws Fault, and then nothing has changed. */
  end(ticket: Ticket, to: Ending, reason: string, answer?: Answer): Promise<Ticket | null>;
  /** Ends a ticket that no client may use any more, now or as soon as possible; one that was parked only if `parked`. Never rejects. */
  abandon(ticketId: string, reason: string, parked: boolean): Promise<void>;
  /** Ends it at its expiry. */
  arm(ticket: Ticket): void;
  stop(): void;
}

export function createEndings(options: EndingsOptions): Endings {
  const { store, evidence, clock, logger, stakes, announcer, turn } = options;
  const timers = new Map<string, () => void>();
  const abandoned = new Map<string, { readonly reason: string; readonly parked: boolean }>();

  async function current(ticketId: string): Promise<Ticket | null> {
    const ticket = await store.get(ticketId);
    const due = ticket === null ? null : dueEnding(ticket);
    if (ticket === null || due === null) return ticket;
    return (await end(ticket, due.to, due.reason)) ?? store.get(ticketId);
  }

  function dueEnding(ticket: Ticket): { to: Ending; reason: string } | null {
    if (isEnd(ticket.state)) return null;
    const gone = abandoned.get(ticket.id);
    if (gone !== undefined && (gone.parked || !ticket.parked))
      return { to: ticket.state === 'pending' ? 'withdrawn' : 'stale', reason: gone.reason };
    if (clock.now() < ticket.expiresAt) return null;
    return ticket.state === 'pending'
      ? { to: 'expired', reason: 'nobody answered in time' }
      : { to: 'stale', reason: 'it was approved, and not used before it expired' };
  }

  async function end(ticket: Ticket, to: Ending, reason: string, answer?: Answer): Promise<Ticket | null> {
    const answers = answer === undefined ? ticket.answers : [...ticket.answers, answer];
    const approvers = answers.filter(({ decision }) => decision === 'approve').map(({ person }) => person);
    await evidence.append(closedRecord(ticket, to, reason, approvers), { durable: to === 'released' });
    const at = clock.now();
    const step = { from: ticket.state, to, at, reason, ...(answer === undefined ? {} : { answer }) };
    if (!(await store.move(ticket.id, step))) return null;
    disarm(ticket.id);
    abandoned.delete(ticket.id);
    const ended: Ticket = { ...ticket, state: to, closedAt: at, closedReason: reason, answers };
    logger.info({ ticket: ended.id, state: to, reason }, 'ticket closed');
    stakes.finish(ended.id, resultOf(to, reason, answer));
    if (answer !== undefined) announcer.announce({ type: 'answered', ticket: ended });
    announcer.announce({ type: 'closed', ticket: ended });
    return ended;
  }

  async function abandon(ticketId: string, reason: string, parked: boolean): Promise<void> {
    abandoned.set(ticketId, { reason, parked });
    try {
      const ticket = await current(ticketId);
      if (ticket === null || isEnd(ticket.state) || ticket.parked) abandoned.delete(ticketId);
    } catch (error) {
      postpone(ticketId, error);
    }
  }

  function arm(ticket: Ticket): void {
    // A timer of more than 2^31 - 1 ms would fire at once; a far expiry is reached in several spans.
    const wait = Math.min(Math.max(ticket.expiresAt - clock.now(), 0), LIMITS.deskTimerSpan);
    schedule(ticket.id, wait);
  }

  function schedule(ticketId: string, wait: number): void {
    disarm(ticketId);
    timers.set(
      ticketId,
      clock.after(wait, () => void turn(() => wake(ticketId))),
    );
  }

  async function wake(ticketId: string): Promise<void> {
    // What stopped or ended it may have come first in the queue.
    if (!timers.delete(ticketId)) return;
    try {
      const ticket = await current(ticketId);
      if (ticket !== null && !isEnd(ticket.state)) arm(ticket);
    } catch (error) {
      // Whoever waits learns it now: the ticket cannot be answered any more, only not yet be closed.
      stakes.settleAll(ticketId, { state: 'expired', reason: 'nobody answered in time', by: null });
      postpone(ticketId, error);
    }
  }

  function postpone(ticketId: string, error: unknown): void {
    logger.error({ ticket: ticketId, err: error }, 'a ticket could not be closed; trying again');
    schedule(ticketId, LIMITS.deskRetry);
  }

  function disarm(ticketId: string): void {
    timers.get(ticketId)?.();
    timers.delete(ticketId);
  }

  return {
    current,
    end,
    abandon,
    arm,
    stop() {
      for (const cancel of timers.values()) cancel();
      timers.clear();
    },
  };
}

export function isEnd(state: TicketState): boolean {
  return TRANSITIONS[state].length === 0;
}

function resultOf(to: Ending, reason: string, answer: Answer | undefined): HoldResult {
  if (to !== 'denied' || answer === undefined) return { state: to, reason, by: null };
  return { state: to, reason: answer.reason ?? 'no reason was given', by: answer.person };
}
