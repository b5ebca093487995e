/**
 * Owns the translation between a ticket and its row. Must never know SQL beyond the column names, nor what a state
 * means.
 */

import { Fault } from '../core/errors.ts';
import type { Answer, Ticket, TicketState } from '../core/ticket.ts';

export interface TicketRow {
  readonly id: string;
  readonly state: string;
  readonly parked: number;
  /** `agent.id` as JSON text. */
  readonly agent: string;
  readonly exact: string;
  readonly request: string;
  readonly answers: string;
  readonly closed_at: number | null;
  readonly closed_reason: string | null;
}

type Fixed = Omit<Ticket, 'id' | 'state' | 'parked' | 'closedAt' | 'closedReason' | 'answers'>;

export function rowOf(ticket: Ticket): TicketRow {
  const { id, state, parked, closedAt, closedReason, answers, ...fixed } = ticket;
  return {
    id,
    state,
    parked: parked ? 1 : 0,
    agent: agentKey(ticket.agent.id),
    exact: ticket.fingerprint.exact,
    request: JSON.stringify(fixed satisfies Fixed),
    answers: JSON.stringify(answers),
    closed_at: closedAt,
    closed_reason: closedReason === null ? null : JSON.stringify(closedReason),
  };
}

export function agentKey(agentId: string): string {
  return JSON.stringify(agentId);
}

/** @throws Fault when the row was not written by us. */
export function ticketOf(row: TicketRow): Ticket {
  try {
    const fixed = JSON.parse(row.request) as Fixed;
    return {
      ...fixed,
      id: row.id,
      // The column has a CHECK on the states.
      state: row.state as TicketState,
      parked: row.parked === 1,
      closedAt: row.closed_at,
      closedReason: row.closed_reason === null ? null : (JSON.parse(row.closed_reason) as string),
      answers: JSON.parse(row.answers) as Answer[],
    };
  } catch (cause) {
    throw new Fault('store_unavailable', `the approval store’s row of ${row.id} cannot be read`, { cause });
  }
}
