/**
 * Owns the approval desk: who waits for which ticket, who may answer, and that an approval lets one action through,
 * once. Everything that changes a ticket takes its turn here, one after another, so a click, an expiry and a client
 * that leaves never cross. Must never know a door, a protocol, or what SQL and HTTP are.
 */

import { LIMITS } from '../core/limits.ts';
import type {
  Clock,
  EvidenceLog,
  Hold,
  HoldDesk,
  HoldRequest,
  Ids,
  Logger,
  TicketStore,
} from '../core/ports.ts';
import { type Refusal, refusal, refusalFrom } from '../core/refusal.ts';
import type { Ticket } from '../core/ticket.ts';
import { createAnnouncer } from './desk-announce.ts';
import { failedAnswer, takeAnswer } from './desk-answers.ts';
import { createEndings, isEnd } from './desk-endings.ts';
import { createHold } from './desk-hold.ts';
import { openedRecord } from './desk-records.ts';
import { createRetention } from './desk-retention.ts';
import { createStakes } from './desk-stakes.ts';
import type { AnswerResult, DeskDoors, DoorAnswer, People } from './doors.ts';
import { answerable, identity, sameRequirements } from './quorum.ts';

export interface DeskOptions {
  readonly store: TicketStore;
  readonly evidence: EvidenceLog;
  readonly clock: Clock;
  readonly ids: Pick<Ids, 'ticket'>;
  readonly people: People;
  readonly logger: Logger;
  /** Pending tickets that one agent may have. */
  readonly maxPending: number;
}

export interface Desk extends HoldDesk, DeskDoors {
  /**
   * Call once, before anything may submit and after the doors have subscribed. Closes what a crash left waiting;
   * releases nothing. @throws Fault when the log or the store fails: then do not start.
   */
  recover(): Promise<void>;
  /** Withdraws what clients wait for and takes no more. The store and the log stay open: they are the caller's. */
  close(): Promise<void>;
}

export function createDesk(options: DeskOptions): Desk {
  const { store, evidence, clock, ids, people, logger, maxPending } = options;
  const stakes = createStakes();
  const announcer = createAnnouncer(logger);
  let phase: 'new' | 'open' | 'closed' = 'new';

  let last: Promise<unknown> = Promise.resolve();
  function turn<T>(work: () => Promise<T>): Promise<T> {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  }

  const endings = createEndings({ store, evidence, clock, logger, stakes, announcer, turn });
  const retention = createRetention({ store, clock, logger, turn });
  const answering = { store, evidence, clock, logger, people, stakes, announcer, endings };
  const holding = { store, people, stakes, endings, turn };

  function notOpen(): Refusal | null {
    if (phase === 'open') return null;
    return phase === 'closed'
      ? refusal('draining', 'Holdpoint is shutting down')
      : refusal('store_unavailable', 'the approval desk has not read its tickets yet');
  }

  async function submit(request: HoldRequest): Promise<Hold | Refusal> {
    const closed = notOpen();
    if (closed !== null) return closed;
    if (!answerable(request.requirements))
      return refusal('policy_malformed', 'policy holds this, and names nobody who could approve it');
    const joined = await joinable(request);
    if (joined !== null) return createHold(holding, joined);
    if ((await store.countPending(request.agent.id)) >= maxPending) {
      const reason = `${request.agent.id} has ${maxPending} requests waiting for approval already`;
      return refusal('hold_capacity', reason, { retryAfter: LIMITS.capacityRetryAfter });
    }
    const ticket = await open(request);
    return createHold(holding, ticket);
  }

  /** The agent's open ticket for the same digest under the same terms; one that is approved before one that waits. */
  async function joinable(request: HoldRequest): Promise<Ticket | null> {
    const same: Ticket[] = [];
    for (const { id } of await store.open(request.agent.id, request.fingerprint.exact)) {
      const ticket = await endings.current(id);
      // Policy or configuration may ask others by now: an answer under the old terms must not do for the new ones.
      if (ticket !== null && !isEnd(ticket.state) && sameTerms(ticket, request)) same.push(ticket);
    }
    return same.find(({ state }) => state === 'approved') ?? same[0] ?? null;
  }

  async function open(request: HoldRequest): Promise<Ticket> {
    const { decision, expiresIn, ...asked } = request;
    const openedAt = clock.now();
    const ticket: Ticket = {
      ...asked,
      id: await freshId(),
      state: 'pending',
      parked: false,
      openedAt,
      expiresAt: openedAt + expiresIn,
      closedAt: null,
      closedReason: null,
      answers: [],
    };
    await evidence.append(openedRecord(ticket, decision));
    await store.insert(ticket);
    endings.arm(ticket);
    logger.info({ ticket: ticket.id, agent: ticket.agent.id, kind: ticket.kind }, 'ticket opened');
    announcer.announce({ type: 'opened', ticket });
    return ticket;
  }

  async function freshId(): Promise<string> {
    const id = ids.ticket();
    return (await store.get(id)) === null ? id : freshId();
  }

  async function answer(ticketId: string, given: DoorAnswer): Promise<AnswerResult> {
    const closed = notOpen();
    if (closed !== null) return { ok: false, code: closed.code, reason: closed.reason, ticket: null };
    return takeAnswer(answering, ticketId, given);
  }

  function failed(ticketId: string): (error: unknown) => AnswerResult {
    return (error) => {
      logger.error({ ticket: ticketId, err: error }, 'an answer could not be taken');
      return failedAnswer(error);
    };
  }

  async function recover(): Promise<void> {
    if (phase !== 'new') return;
    for (const ticket of await store.unfinished()) {
      if (!ticket.parked && ticket.state === 'pending')
        await endings.end(ticket, 'withdrawn', 'Holdpoint restarted while the client was waiting');
      else if (!ticket.parked)
        await endings.end(ticket, 'stale', 'Holdpoint restarted before the approved request was released');
      else {
        const now = await endings.current(ticket.id);
        if (now !== null && !isEnd(now.state)) endings.arm(now);
      }
    }
    phase = 'open';
    retention.start();
  }

  async function close(): Promise<void> {
    phase = 'closed';
    for (const ticketId of stakes.tickets()) {
      const reason = 'Holdpoint is shutting down';
      stakes.settleAll(ticketId, { state: 'withdrawn', reason, by: null });
      await endings.abandon(ticketId, reason, false);
    }
    endings.stop();
    retention.stop();
  }

  return {
    submit: (request) =>
      turn(() => submit(request)).catch((error: unknown) => {
        logger.error({ agent: request.agent.id, err: error }, 'a request could not be held');
        return refusalFrom(error);
      }),
    list: (filter) => store.list(filter),
    get: (ticketId) => store.get(ticketId),
    answer: (ticketId, given) => turn(() => answer(ticketId, given)).catch(failed(ticketId)),
    subscribe: announcer.subscribe,
    remember: (ticketId, door, data) => store.remember(ticketId, door, data),
    recall: (ticketId, door) => store.recall(ticketId, door),
    recover: () => turn(recover),
    close: () => turn(close),
  };
}

function sameTerms(ticket: Ticket, request: HoldRequest): boolean {
  return (
    identity(ticket.agent.owner) === identity(request.agent.owner) &&
    sameRequirements(ticket.requirements, request.requirements)
  );
}
