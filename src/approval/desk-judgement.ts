/**
 * Owns what one answer to one ticket amounts to: it counts, repeats one that counts, or is refused and why. Pure.
 * Must never change a ticket.
 */

import type { ErrorCode } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Ticket } from '../core/ticket.ts';
import type { DoorAnswer, People } from './doors.ts';
import { type Approver, entitled, identity, met } from './quorum.ts';

export type Judgement =
  | { readonly verdict: 'counts'; readonly to: 'pending' | 'approved' | 'denied' }
  | { readonly verdict: 'repeats' }
  | { readonly verdict: 'refused'; readonly code: ErrorCode; readonly reason: string };

/** The ticket must be as it is now: with what has expired already closed. */
export function judge(ticket: Ticket, answer: DoorAnswer, people: People): Judgement {
  const { decision } = answer;
  // Groups are the directory’s word, whatever a door says.
  const person = { id: answer.person.id, groups: people.byId(answer.person.id)?.groups ?? [] };
  if (isSelf(ticket, person.id)) {
    return refused(
      'self_approval',
      `${person.id} is who ${ticket.agent.id} acts for, and nobody answers their own request`,
    );
  }
  if (!entitled(ticket.requirements, person)) {
    const groups = [...new Set(ticket.requirements.flatMap((requirement) => requirement.groups))];
    return refused(
      'not_entitled',
      `${person.id} is in none of the groups that are asked: ${groups.join(', ')}`,
    );
  }
  if (repeats(ticket, answer)) return { verdict: 'repeats' };
  if (ticket.state !== 'pending') {
    return refused('already_closed', `${ticket.id} is ${ticket.state}: ${ticket.closedReason ?? ''}`);
  }
  if (decision === 'deny') return { verdict: 'counts', to: 'denied' };
  const approvers = [...approversOf(ticket, people), person];
  return { verdict: 'counts', to: met(ticket.requirements, approvers) ? 'approved' : 'pending' };
}

/**
 * Those who have approved, with the groups that the directory gives them now: who has left a group, or left
 * altogether, no longer counts. Who said no afterwards does not count either.
 */
export function approversOf(ticket: Ticket, people: People): Approver[] {
  const latest = new Map(ticket.answers.map((answer) => [identity(answer.person), answer]));
  return [...latest.values()]
    .filter((answer) => answer.decision === 'approve' && !isSelf(ticket, answer.person))
    .map((answer) => ({ id: answer.person, groups: people.byId(answer.person)?.groups ?? [] }));
}

/** The agent and the owner it acts for are one party, whatever groups the owner is in. */
function isSelf(ticket: Ticket, personId: string): boolean {
  const person = identity(personId);
  return person === identity(ticket.agent.owner) || person === identity(ticket.agent.id);
}

/** A reason on one line without control characters or bidirectional overrides, null when blank; `undefined` when it is too long. */
export function reasonText(reason: string | null): string | null | undefined {
  const text = (reason ?? '').replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').trim();
  if ([...text].length > LIMITS.reviewerReason) return undefined;
  return text === '' ? null : text;
}

/** States in which an earlier answer of each kind still stands. */
const STANDS = { approve: ['pending', 'approved', 'released'], deny: ['denied'] } as const;

function repeats(ticket: Ticket, { person, decision }: DoorAnswer): boolean {
  const states: readonly string[] = STANDS[decision];
  return (
    states.includes(ticket.state) &&
    ticket.answers.some(
      (answer) => answer.decision === decision && identity(answer.person) === identity(person.id),
    )
  );
}

function refused(code: ErrorCode, reason: string): Judgement {
  return { verdict: 'refused', code, reason };
}
