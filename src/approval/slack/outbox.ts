/**
 * Owns what still has to be shown in Slack: which tickets, in which order, and when to try again. One call at a time
 * (Slack allows about one message a second and channel), pauses as Slack asks, waits longer after each failure.
 * Nothing due is dropped while the process lives. Must never answer a ticket.
 */

import { LIMITS } from '../../core/limits.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { retryDelay } from './retry.ts';
import { DOOR, type Show } from './showing.ts';
import { troubleOf } from './trouble.ts';
import type { Place } from './web.ts';

export interface Outbox {
  /** The ticket's card, and `copy` where another message shows it too, has to be brought up to date. */
  refresh(ticketId: string, copy?: Place): void;
  /** Lets what is due get out for `LIMITS.slackFlush`, unless Slack is away, and ends. */
  stop(): Promise<void>;
}

interface Due {
  readonly copies: Map<string, Place>;
  /** Failures of this ticket's own in a row. */
  failures: number;
  notBefore: number;
}

export function createOutbox({
  show,
  clock,
  logger,
}: {
  readonly show: Show;
  readonly clock: Clock;
  readonly logger: Logger;
}): Outbox {
  /** In the order in which they became due. */
  const due = new Map<string, Due>();
  let pausedUntil = 0;
  let failures = 0;
  let busy = false;
  let stopped = false;
  let cancelTimer: (() => void) | null = null;
  let onIdle: (() => void) | null = null;

  function enqueue(ticketId: string, more: Due): void {
    const waiting = due.get(ticketId);
    if (waiting === undefined) {
      due.set(ticketId, more);
      return;
    }
    for (const [key, place] of more.copies) waiting.copies.set(key, place);
    waiting.failures = Math.max(waiting.failures, more.failures);
    waiting.notBefore = Math.max(waiting.notBefore, more.notBefore);
  }

  function nextReady(now: number): string | null {
    if (now < pausedUntil) return null;
    for (const [ticketId, { notBefore }] of due) if (notBefore <= now) return ticketId;
    return null;
  }

  async function pump(): Promise<void> {
    if (busy) return;
    busy = true;
    cancelTimer?.();
    cancelTimer = null;
    for (let next = nextReady(clock.now()); next !== null && !stopped; next = nextReady(clock.now()))
      await attempt(next);
    busy = false;
    if (due.size === 0) onIdle?.();
    else if (!stopped) wakeLater();
  }

  function wakeLater(): void {
    const earliest = Math.min(...[...due.values()].map(({ notBefore }) => notBefore));
    const at = Math.max(earliest, pausedUntil);
    cancelTimer = clock.after(Math.max(1, at - clock.now()), () => void pump());
  }

  /** Never rejects. */
  async function attempt(ticketId: string): Promise<void> {
    const item = due.get(ticketId);
    if (item === undefined) return;
    // Taken out first: what happens to the ticket meanwhile makes it due again.
    due.delete(ticketId);
    try {
      await show(ticketId, [...item.copies.values()]);
      failures = 0;
    } catch (error) {
      failed(ticketId, item, error);
    }
  }

  function failed(ticketId: string, item: Due, error: unknown): void {
    const trouble = troubleOf(error);
    const now = clock.now();
    const fields = { door: DOOR, ticket: ticketId, trouble: trouble.detail };
    if (trouble.kind === 'refused') {
      // Of this ticket's own making, or of the set-up: others may pass.
      item.failures += 1;
      item.notBefore = now + retryDelay(item.failures);
      logger.error(fields, 'Slack refused a card, which stays due');
    } else {
      failures += 1;
      pausedUntil = now + (trouble.kind === 'limited' ? trouble.afterMs : retryDelay(failures));
      logger.warn({ ...fields, pause: pausedUntil - now }, 'cards for Slack wait');
    }
    enqueue(ticketId, item);
  }

  return {
    refresh(ticketId, copy) {
      if (stopped) return;
      const copies = new Map(copy === undefined ? [] : [[`${copy.channel}/${copy.ts}`, copy]]);
      enqueue(ticketId, { copies, failures: 0, notBefore: 0 });
      void pump();
    },

    async stop() {
      if (!stopped && due.size + Number(busy) > 0 && clock.now() >= pausedUntil)
        await new Promise<void>((resolve) => {
          onIdle = resolve;
          clock.after(LIMITS.slackFlush, resolve);
        });
      stopped = true;
      cancelTimer?.();
    },
  };
}
