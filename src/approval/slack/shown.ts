/**
 * Owns what is remembered of a ticket's card: where it is and which state of the ticket it shows.
 * Must never know how a message gets to Slack.
 */

import type { Json } from '../../core/facts.ts';
import type { Ticket } from '../../core/ticket.ts';
import type { Place } from './web.ts';

export interface Shown extends Place {
  /** The ticket's version that the message shows. */
  readonly version: string;
}

/** What of a ticket a card depends on and time can change. */
export function versionOf(ticket: Ticket): string {
  return `${ticket.state}/${ticket.answers.length}`;
}

export function shownToJson({ channel, ts, version }: Shown): Json {
  return { channel, ts, version };
}

/** Null for what this version of Holdpoint did not write. */
export function shownFromJson(value: Json): Shown | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { channel, ts, version } = value;
  return typeof channel === 'string' && typeof ts === 'string' && typeof version === 'string'
    ? { channel, ts, version }
    : null;
}
