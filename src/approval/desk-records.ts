/**
 * Owns the evidence that the desk leaves: drafts of `hold_opened`, `approval` and `hold_closed`. Pure.
 * Must never put the statement or call itself in: the decision record has it, as `audit.capture` allows.
 */

import type { ErrorCode } from '../core/errors.ts';
import { draft, type RecordDraft } from '../core/record.ts';
import type { Answer, Ticket, TicketState } from '../core/ticket.ts';

export function openedRecord(ticket: Ticket, decision: string): RecordDraft {
  const { rules, requirements, agent } = ticket;
  return about('hold_opened', ticket, {
    id: decision,
    policy: { revision: ticket.revision, effect: 'hold', rules },
    detail: {
      owner: agent.owner,
      environment: agent.environment,
      requirements: requirements.map(({ groups, quorum }) => ({ groups: [...groups], quorum })),
      expires: new Date(ticket.expiresAt).toISOString(),
    },
  });
}

/** `state` is the ticket’s once the answer has taken effect; `refused` is why it had none. */
export function approvalRecord(
  ticket: Ticket,
  answer: Answer,
  effect: {
    readonly outcome: 'counted' | 'repeated' | 'refused';
    readonly state: TicketState;
    readonly refused: ErrorCode | null;
  },
): RecordDraft {
  const { person, decision, reason, via } = answer;
  return about('approval', ticket, { detail: { person, decision, reason, via, ...effect } });
}

export function closedRecord(
  ticket: Ticket,
  state: TicketState,
  reason: string,
  approvers: readonly string[],
): RecordDraft {
  return about('hold_closed', ticket, { detail: { state, reason, approvers: [...approvers] } });
}

function about(type: RecordDraft['type'], ticket: Ticket, more: Partial<RecordDraft>): RecordDraft {
  return draft(type, {
    agent: ticket.agent.id,
    kind: ticket.kind,
    fingerprint: ticket.fingerprint,
    ticket: ticket.id,
    ...more,
  });
}
