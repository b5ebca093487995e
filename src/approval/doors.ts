/**
 * Owns what a door may do: Slack, the REST API and the terminal show tickets and pass on answers of people whom they
 * have verified. Types only. Must never know any one door, nor how the desk keeps its tickets.
 */

import type { ErrorCode } from '../core/errors.ts';
import type { Json } from '../core/facts.ts';
import type { TicketFilter, TicketPage } from '../core/ports.ts';
import type { Ticket } from '../core/ticket.ts';

/** A reviewer: a verified identity, never a display name. */
export interface Person {
  /** E-mail address: compared without regard to case. */
  readonly id: string;
  /** Slack user id (`U…`), where configured. */
  readonly slack: string | null;
  readonly groups: readonly string[];
}

export interface People {
  byId(id: string): Person | null;
  /** By exact Slack user id. */
  bySlack(userId: string): Person | null;
  /** By the SHA-256 of a bearer token, in hex. Compares every entry in constant time. */
  byTokenHash(sha256: string): Person | null;
}

export interface DoorAnswer {
  readonly person: Person;
  readonly decision: 'approve' | 'deny';
  /** At most `LIMITS.reviewerReason` characters; blank counts as none. */
  readonly reason: string | null;
  /** The door: `slack`, `api`, `cli`. */
  readonly via: string;
}

/** `ok` also for the repeat of an answer that already counts: a double click changes nothing and is no error. */
export type AnswerResult =
  | { readonly ok: true; readonly ticket: Ticket }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      /** For the reviewer: why not. */
      readonly reason: string;
      /** As it is now; null where there is no such ticket, or it could not be read. */
      readonly ticket: Ticket | null;
    };

/**
 * `opened`: a new ticket is pending. `answered`: an answer counted; the ticket is pending still (more are needed),
 * approved or denied. `closed`: it reached denied, expired, withdrawn, released or stale, and will not change again.
 * A denial is told twice: `answered`, then `closed`.
 */
export interface TicketEvent {
  readonly type: 'opened' | 'answered' | 'closed';
  /** As it is after the event. */
  readonly ticket: Ticket;
}

/** The approval desk, as its doors see it. Reads reject with Fault `store_unavailable`. */
export interface DeskDoors {
  /** Newest first. */
  list(filter: TicketFilter): Promise<TicketPage>;
  get(ticketId: string): Promise<Ticket | null>;
  /** Never rejects: trouble of ours is `ok: false` with its code, and then nothing was approved. */
  answer(ticketId: string, answer: DoorAnswer): Promise<AnswerResult>;
  /**
   * Calls `listener` after each event, in order for one ticket, never during a transition; returns what ends it. A listener that
   * throws or rejects is logged and left alone, and nothing waits for it. Subscribe before the desk recovers, and
   * the tickets that a restart closes are told too.
   */
  subscribe(listener: (event: TicketEvent) => void | Promise<void>): () => void;
  /** Keeps one value per ticket and door across restarts: say, the message that shows it. Replaces the last one. */
  remember(ticketId: string, door: string, data: Json): Promise<void>;
  recall(ticketId: string, door: string): Promise<Json | null>;
}
