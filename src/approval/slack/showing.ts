/**
 * Owns bringing one ticket's card up to date: posts it, updates it, posts it anew where it is gone. Driven by the
 * ticket as it is now, not by what happened, so that doing it twice or late is harmless.
 * Must never retry: it rejects, and the outbox calls again.
 */

import type { Logger } from '../../core/ports.ts';
import type { Ticket } from '../../core/ticket.ts';
import type { DeskDoors } from '../doors.ts';
import { type Message, messageOf, plainMessageOf } from './blocks.ts';
import { type Shown, shownFromJson, shownToJson, versionOf } from './shown.ts';
import { troubleOf } from './trouble.ts';
import type { Place, SlackWeb } from './web.ts';

export const DOOR = 'slack';

/** `ticketId`'s card, and `copies` of it that somebody clicked, shall show the ticket as it is. */
export type Show = (ticketId: string, copies: readonly Place[]) => Promise<void>;

export function createShow({
  doors,
  web,
  logger,
}: {
  readonly doors: DeskDoors;
  readonly web: Pick<SlackWeb, 'post' | 'update'>;
  readonly logger: Logger;
}): Show {
  // Posted, but not yet kept by the store: posting again would make a second card.
  const unsaved = new Map<string, Shown>();

  async function shownFor(ticketId: string): Promise<Shown | null> {
    return unsaved.get(ticketId) ?? shownFromJson(await doors.recall(ticketId, DOOR));
  }

  async function keep(ticketId: string, shown: Shown): Promise<void> {
    unsaved.set(ticketId, shown);
    await doors.remember(ticketId, DOOR, shownToJson(shown));
    unsaved.delete(ticketId);
  }

  async function post(ticket: Ticket): Promise<void> {
    const place = await showable(ticket, logger, (message) => web.post(message));
    await keep(ticket.id, { ...place, version: versionOf(ticket) });
  }

  return async (ticketId, copies) => {
    const ticket = await doors.get(ticketId);
    if (ticket === null) return;
    const version = versionOf(ticket);
    const shown = await shownFor(ticketId);
    if (shown === null) {
      // Nobody needs a card for what is no longer to be answered.
      if (ticket.state === 'pending') await post(ticket);
    } else if (shown.version !== version) {
      const gone = await update(ticket, shown, web, logger);
      if (gone && ticket.state === 'pending') await post(ticket);
      else await keep(ticketId, { ...shown, version });
    } else if (unsaved.has(ticketId)) {
      await keep(ticketId, shown);
    }
    for (const copy of copies) {
      if (copy.channel === shown?.channel && copy.ts === shown.ts) continue;
      await update(ticket, copy, web, logger);
    }
  };
}

/** Resolves to true where the message is gone or may not be changed any more. */
async function update(
  ticket: Ticket,
  place: Place,
  web: Pick<SlackWeb, 'update'>,
  logger: Logger,
): Promise<boolean> {
  const { channel, ts } = place;
  try {
    await showable(ticket, logger, (message) => web.update({ channel, ts }, message));
    return false;
  } catch (error) {
    const trouble = troubleOf(error);
    if (trouble.kind !== 'refused' || !GONE.has(trouble.error)) throw error;
    logger.warn({ door: DOOR, ticket: ticket.id, error: trouble.error }, 'a card in Slack cannot be updated');
    return true;
  }
}

const GONE = new Set([
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
  'channel_not_found',
  'is_archived',
  'is_inactive',
]);

/** Slack's words for a message that it will never take. */
const UNSHOWABLE = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
  'block_mismatch',
]);

async function showable<T>(
  ticket: Ticket,
  logger: Logger,
  send: (message: Message) => Promise<T>,
): Promise<T> {
  try {
    return await send(messageOf(ticket));
  } catch (error) {
    const trouble = troubleOf(error);
    if (trouble.kind !== 'refused' || !UNSHOWABLE.has(trouble.error)) throw error;
    logger.error({ door: DOOR, ticket: ticket.id, error: trouble.error }, 'Slack refused a card');
    return send(plainMessageOf(ticket));
  }
}
