/**
 * Owns taking an answer: judge it, write it down, and only then let it have its effect. Called within a turn of the
 * desk. Must never know which door it came through beyond the name.
 */

import { Fault } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock, EvidenceLog, Logger, TicketStore } from '../core/ports.ts';
import type { Answer, Ticket } from '../core/ticket.ts';
import type { Announcer } from './desk-announce.ts';
import type { Endings } from './desk-endings.ts';
import { approversOf, judge, reasonText } from './desk-judgement.ts';
import { approvalRecord } from './desk-records.ts';
import type { Stakes } from './desk-stakes.ts';
import type { AnswerResult, DoorAnswer, People } from './doors.ts';

export interface AnsweringOptions {
  readonly store: TicketStore;
  readonly evidence: EvidenceLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly people: People;
  readonly stakes: Stakes;
  readonly announcer: Announcer;
  readonly endings: Endings;
}

/** @throws Fault of the log or the store; then the answer had no effect. */
export async function takeAnswer(
  options: AnsweringOptions,
  ticketId: string,
  given: DoorAnswer,
): Promise<AnswerResult> {
  const { evidence, clock, people, endings } = options;
  const reason = reasonText(given.reason);
  const ticket = await endings.current(ticketId);
  if (ticket === null)
    return { ok: false, code: 'not_found', reason: `there is no ticket ${ticketId}`, ticket };
  if (reason === undefined) {
    const bound = `a reason has at most ${LIMITS.reviewerReason} characters`;
    return { ok: false, code: 'bad_request', reason: bound, ticket };
  }
  const { person, decision, via } = given;
  const answer: Answer = { person: person.id, decision, reason, via, at: clock.now() };
  const judgement = judge(ticket, given, people);

  if (judgement.verdict === 'refused') return refuse(options, ticket, answer, judgement);
  if (judgement.verdict === 'repeats') {
    const effect = { outcome: 'repeated', state: ticket.state, refused: null } as const;
    await evidence.append(approvalRecord(ticket, answer, effect));
    return { ok: true, ticket };
  }
  const effect = { outcome: 'counted', state: judgement.to, refused: null } as const;
  await evidence.append(approvalRecord(ticket, answer, effect), { durable: true });
  const moved = await apply(options, ticket, answer, judgement.to);
  if (moved !== null) return { ok: true, ticket: moved };
  // Another process was first: the record above says what was asked, this one says that it had no effect.
  const now = (await options.store.get(ticketId)) ?? ticket;
  return refuse(options, now, answer, { code: 'already_closed', reason: `${ticketId} is ${now.state}` });
}

async function apply(
  options: AnsweringOptions,
  ticket: Ticket,
  answer: Answer,
  to: 'pending' | 'approved' | 'denied',
): Promise<Ticket | null> {
  const { store, stakes, announcer, endings, logger, people } = options;
  const { person, at, reason } = answer;
  if (to === 'denied') {
    const why = reason === null ? `denied by ${person}` : `denied by ${person}: ${reason}`;
    return endings.end(ticket, to, why, answer);
  }
  const answered = { ...ticket, answers: [...ticket.answers, answer] };
  let after: Ticket = answered;
  if (to === 'approved') {
    const names = [...new Set(approversOf(answered, people).map(({ id }) => id))].join(', ');
    const closedReason = `approved by ${names}`;
    if (!(await store.move(ticket.id, { from: 'pending', to, at, reason: closedReason, answer })))
      return null;
    after = { ...answered, state: to, closedReason };
  } else if (!(await store.addAnswer(ticket.id, answer))) return null;
  logger.info({ ticket: after.id, state: after.state, person, via: answer.via }, 'ticket answered');
  if (to === 'approved') stakes.settleAll(ticket.id, { state: to });
  announcer.announce({ type: 'answered', ticket: after });
  return after;
}

async function refuse(
  { evidence }: AnsweringOptions,
  ticket: Ticket,
  answer: Answer,
  { code, reason }: { readonly code: Exclude<AnswerResult, { ok: true }>['code']; readonly reason: string },
): Promise<AnswerResult> {
  const effect = { outcome: 'refused', state: ticket.state, refused: code } as const;
  await evidence.append(approvalRecord(ticket, answer, effect));
  return { ok: false, code, reason, ticket };
}

/** What a door is told when we failed. */
export function failedAnswer(error: unknown): AnswerResult {
  const fault = error instanceof Fault ? error : null;
  return {
    ok: false,
    code: fault?.code ?? 'internal',
    reason: fault?.message ?? 'the answer could not be taken',
    ticket: null,
  };
}
