/**
 * Owns the ticket as the control API shows it: snake_case, RFC 3339 times. Pure. Must never leave out that a text was
 * cut.
 */

import { LIMITS } from '../core/limits.ts';
import type { Ticket } from '../core/ticket.ts';
import { approversOf } from './desk-judgement.ts';
import type { People } from './doors.ts';
import { progress } from './quorum.ts';

/** The whole of it: what a person must see before they answer. */
export function ticketDocument(ticket: Ticket, people: People) {
  const { id, state, parked, kind, agent, display, fingerprint, rules, message, revision } = ticket;
  return {
    id,
    state,
    parked,
    kind,
    agent,
    display: { ...display, truncated: false },
    fingerprint,
    rules,
    requirements: progress(ticket.requirements, approversOf(ticket, people)),
    message,
    revision,
    opened_at: time(ticket.openedAt),
    expires_at: time(ticket.expiresAt),
    closed_at: ticket.closedAt === null ? null : time(ticket.closedAt),
    closed_reason: ticket.closedReason,
    answers: ticket.answers.map((answer) => ({ ...answer, at: time(answer.at) })),
  };
}

export type TicketDocument = ReturnType<typeof ticketDocument>;

/** For a list: the same, with a long text cut, and said to be. */
export function ticketSummary(ticket: Ticket, people: People): TicketDocument {
  const document = ticketDocument(ticket, people);
  const characters = [...document.display.text];
  if (characters.length <= LIMITS.cardText) return document;
  const text = characters.slice(0, LIMITS.cardText).join('');
  return { ...document, display: { ...document.display, text, truncated: true } };
}

function time(ms: number): string {
  return new Date(ms).toISOString();
}
