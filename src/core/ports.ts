/**
 * Owns the ports: what the pipeline and its neighbours need from each other and from the machine. Each has a real
 * implementation in one folder and a stand-in in tests. Must never import an implementation.
 */

import type { Effect, Verdict } from './decision.ts';
import type { ErrorCode } from './errors.ts';
import type { Facts, Json, PolicyInput } from './facts.ts';
import type { RecordDraft } from './record.ts';
import type { Refusal } from './refusal.ts';
import type { Answer, Ticket, TicketState } from './ticket.ts';

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls back once after `ms`; returns what cancels it. Never keeps the process alive. */
  after(ms: number, callback: () => void): () => void;
}

export interface Ids {
  /** A fresh decision id: unique, sortable by time. */
  decision(): string;
  /** A fresh ticket id. */
  ticket(): string;
}

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counts what happens, for /metrics. */
export interface Meter {
  decided(kind: Facts['kind'], effect: Effect, seconds: number): void;
  refused(kind: Facts['kind'], code: ErrorCode): void;
  /** A wait for a person ended: `released`, or the code of the refusal. */
  waited(end: string, seconds: number): void;
}

/** Decides. Never rejects: what goes wrong inside is a verdict that denies, with its failure code. */
export interface PolicyEngine {
  decide(input: PolicyInput): Promise<Verdict>;
}

/** Write-ahead evidence. */
export interface EvidenceLog {
  /**
   * Resolves once the record is written (`durable`: and fsynced). @throws Fault `evidence_unavailable`: then
   * nothing may be forwarded.
   */
  append(record: RecordDraft, options?: { durable?: boolean }): Promise<{ seq: number }>;
}

/** What a ticket is opened with. */
export interface HoldRequest
  extends Pick<
    Ticket,
    'agent' | 'kind' | 'fingerprint' | 'display' | 'rules' | 'requirements' | 'message' | 'revision'
  > {
  /** Id of the decision record. */
  readonly decision: string;
  /** Milliseconds until unanswered means expired. */
  readonly expiresIn: number;
}

/** How a hold ended, for one waiting client. */
export type HoldResult =
  | { readonly state: 'approved' }
  | {
      readonly state: 'denied' | 'expired' | 'withdrawn' | 'released' | 'stale';
      readonly reason: string;
      /** Reviewer, where one answered. */
      readonly by: string | null;
    };

/** One client's stake in a ticket that it opened or joined. */
export interface Hold {
  readonly ticket: Ticket;
  /** Resolves when the ticket leaves `pending` (at once where it already has). Never rejects. */
  readonly settled: Promise<HoldResult>;
  /** approved → released, exactly once for all stakes: true for the one that may run. @throws Fault `store_unavailable`. */
  release(): Promise<boolean>;
  /** approved → stale: it may not run any more. */
  stale(reason: string): Promise<void>;
  /** The client was told to come back: the ticket outlives it. */
  park(): Promise<void>;
  /** The client is gone: withdraws the ticket when this was its last stake and it was never parked. */
  leave(reason: string): Promise<void>;
}

/** The approval desk, as the pipeline sees it. */
export interface HoldDesk {
  /**
   * Joins the agent's ticket for the same exact digest, pending or approved and unspent, or opens one.
   * A refusal when the agent has too many pending, or the store fails.
   */
  submit(request: HoldRequest): Promise<Hold | Refusal>;
}

export interface TicketFilter {
  /** Every state where absent. */
  readonly states?: readonly TicketState[];
  /** At most `LIMITS.controlPage`, which is also the default. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

export interface TicketPage {
  /** Newest first. */
  readonly tickets: readonly Ticket[];
  /** The cursor of the next page; null on the last. */
  readonly next: string | null;
}

/** One step of a ticket: compare-and-set on `from`, with the answer that caused it. */
export interface TicketMove {
  readonly from: TicketState;
  readonly to: TicketState;
  readonly at: number;
  /** Becomes `closedReason`. */
  readonly reason: string;
  /** Appended in the same transaction. */
  readonly answer?: Answer;
}

/**
 * Keeps tickets. Each call is one transaction, durable once it resolves. What finds the ticket in another state than
 * it expects changes nothing and resolves to false. Rejects only with Fault `store_unavailable`, and with `internal`
 * for a step that `TRANSITIONS` does not know.
 */
export interface TicketStore {
  /** A new pending ticket. */
  insert(ticket: Ticket): Promise<void>;
  get(id: string): Promise<Ticket | null>;
  /** Pending or approved tickets of one agent for one exact digest, oldest first. */
  open(agentId: string, exact: string): Promise<readonly Ticket[]>;
  /** Every ticket that is pending or approved, oldest first. */
  unfinished(): Promise<readonly Ticket[]>;
  /** How many tickets of one agent are pending. */
  countPending(agentId: string): Promise<number>;
  list(filter: TicketFilter): Promise<TicketPage>;
  move(id: string, step: TicketMove): Promise<boolean>;
  /** Appends an answer to a ticket that stays pending. */
  addAnswer(id: string, answer: Answer): Promise<boolean>;
  /** Marks a pending or approved ticket as parked. */
  park(id: string): Promise<boolean>;
  /** One value per ticket and door; replaces the last one. */
  remember(id: string, door: string, data: Json): Promise<void>;
  recall(id: string, door: string): Promise<Json | null>;
  /** Drops tickets that ended before `time`, with what doors left with them; resolves to how many. */
  forget(time: number): Promise<number>;
  close(): Promise<void>;
}
