/**
 * Owns forgetting tickets that ended long ago, once a day: the audit log keeps what happened, the store only what
 * doors may still want to show. Must never touch a ticket that has not ended.
 */

import { LIMITS } from '../core/limits.ts';
import type { Clock, Logger, TicketStore } from '../core/ports.ts';

export interface Retention {
  start(): void;
  stop(): void;
}

export function createRetention(options: {
  readonly store: TicketStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
}): Retention {
  const { store, clock, logger, turn } = options;
  let cancel: () => void = () => undefined;

  function start(): void {
    cancel = clock.after(LIMITS.deskTimerSpan, start);
    turn(() => store.forget(clock.now() - LIMITS.closedTickets)).then(
      (forgotten) => logger.debug({ forgotten }, 'old tickets forgotten'),
      (error: unknown) =>
        logger.error({ err: error }, 'old tickets could not be forgotten; trying again tomorrow'),
    );
  }

  return { start, stop: () => cancel() };
}
