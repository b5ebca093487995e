/**
 * Owns what has to be shown again after a restart: open tickets without a card, and cards that show a state of
 * yesterday. Must never post by itself.
 */

import { LIMITS } from '../../core/limits.ts';
import type { Ticket, TicketState } from '../../core/ticket.ts';
import type { DeskDoors } from '../doors.ts';
import { DOOR } from './showing.ts';
import { shownFromJson, versionOf } from './shown.ts';

const OPEN: readonly TicketState[] = ['pending', 'approved'];
const CLOSED: readonly TicketState[] = ['denied', 'expired', 'withdrawn', 'released', 'stale'];

/** Ids of tickets whose cards are missing or behind; of closed ones among the newest `LIMITS.slackRecovery`. */
export async function behind(doors: DeskDoors): Promise<readonly string[]> {
  const tickets = [
    ...(await newest(doors, OPEN, Number.POSITIVE_INFINITY)).reverse(),
    ...(await newest(doors, CLOSED, LIMITS.slackRecovery)),
  ];
  const found: string[] = [];
  for (const ticket of tickets) {
    const kept = await doors.recall(ticket.id, DOOR);
    const shown = kept === null ? null : shownFromJson(kept);
    if (shown === null ? ticket.state === 'pending' : shown.version !== versionOf(ticket))
      found.push(ticket.id);
  }
  return found;
}

async function newest(doors: DeskDoors, states: readonly TicketState[], most: number): Promise<Ticket[]> {
  const tickets: Ticket[] = [];
  let cursor: string | null = null;
  do {
    const page = await doors.list({ states, ...(cursor === null ? {} : { cursor }) });
    tickets.push(...page.tickets);
    cursor = page.next;
  } while (cursor !== null && tickets.length < most);
  return tickets.slice(0, most);
}
