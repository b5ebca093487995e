/**
 * Owns telling the doors. Must never wait for one, nor let one that fails disturb the desk or another door.
 */

import type { Logger } from '../core/ports.ts';
import type { TicketEvent } from './doors.ts';

type Listener = (event: TicketEvent) => void | Promise<void>;

export interface Announcer {
  subscribe(listener: Listener): () => void;
  announce(event: TicketEvent): void;
}

export function createAnnouncer(logger: Logger): Announcer {
  const listeners = new Set<{ readonly tell: Listener }>();
  const failed = (event: TicketEvent, error: unknown) =>
    logger.error(
      { ticket: event.ticket.id, event: event.type, err: error },
      'a door failed on a ticket event',
    );

  return {
    subscribe(listener) {
      const entry = { tell: listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    announce(event) {
      for (const { tell } of [...listeners]) {
        try {
          Promise.resolve(tell(event)).catch((error: unknown) => failed(event, error));
        } catch (error) {
          failed(event, error);
        }
      }
    },
  };
}
