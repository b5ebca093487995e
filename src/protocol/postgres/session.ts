/**
 * Owns one session from its first octet: events in, commands out, in the order in which they are to be done. Pure: it
 * has no socket, timer or randomness. Must never command a `send` that no permit covers, and ends rather than guess.
 */

import type { Permit } from '../../core/permit.ts';
import { type Refusal, refusal, refusalFrom } from '../../core/refusal.ts';
import type { SqlAnalysis } from '../sql/analysis.ts';
import { serverError } from './backend.ts';
import { type Clearance, createClearance } from './clearance.ts';
import { Conversation } from './conversation.ts';
import { errorResponse, noticeResponse, terminateMessage } from './encode.ts';
import type { CancelKey, Command, Event } from './events.ts';
import { FrontendFramer } from './framer.ts';
import { reportStatus } from './lock.ts';
import { BACKEND } from './messages.ts';
import { Names } from './names.ts';
import { Opening } from './opening.ts';
import type { PlanOptions } from './plan.ts';
import { refusalReport } from './refusal.ts';
import { Replies } from './replies.ts';
import { BackendScanner } from './scanner.ts';
import { Settings } from './settings.ts';
import { createSubstitution } from './substitution.ts';
import type { Phase } from './transitions.ts';

export interface SessionOptions extends Omit<PlanOptions, 'database'> {
  /** This connection's name, and the permit for its plumbing. */
  readonly digest: string;
  readonly permit: Permit;
  /** Unguessable, with 32 octets of secret. */
  readonly cancelKey: CancelKey;
  /** At least 16 random octets. */
  readonly substitutionSecret: Uint8Array;
  /** An analysis that is at hand, or null: then it is asked for by command. */
  cached(text: string): SqlAnalysis | null;
}

export interface Session {
  /** Takes in one event. Never throws: what goes wrong ends the session. */
  receive(event: Event): Command[];
  /** Why what was asked under `id` would not be what runs any more; null where it still is. */
  changed(id: number): string | null;
  /** True while it would rather not be given more of the client's octets. */
  readonly congested: boolean;
  /** For the log. */
  readonly who: { readonly user: string; readonly database: string; readonly application: string };
}

export function createSession(options: SessionOptions): Session {
  return new PostgresSession(options);
}

class PostgresSession implements Session {
  readonly #options: SessionOptions;
  readonly #clearance: Clearance;
  readonly #opening: Opening;
  readonly #framer = new FrontendFramer();
  readonly #scanner = new BackendScanner();
  /** Null until the startup message was admitted. */
  #conversation: Conversation | null = null;
  #notices: Buffer[] = [];
  #commands: Command[] = [];
  #explained = false;
  #draining = false;
  #ended = false;
  who = { user: '', database: '', application: '' };

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#clearance = createClearance(options.permit, options.digest);
    this.#opening = new Opening(options.cancelKey, this.#clearance);
  }

  get congested(): boolean {
    return this.#conversation?.congested ?? false;
  }

  changed(id: number): string | null {
    if (this.#ended) return 'the session has ended';
    return this.#conversation?.changed(id) ?? null;
  }

  receive(event: Event): Command[] {
    this.#commands = [];
    try {
      if (this.#ended) this.#late(event);
      else this.#take(event);
      if (!this.#ended) this.#settleDown();
    } catch (error) {
      this.#fatal(refusalFrom(error));
    }
    return this.#commands;
  }

  #take(event: Event): void {
    switch (event.on) {
      case 'client octets':
        this.#fromClient(event.chunk);
        return;
      case 'server octets':
        this.#fromServer(event.chunk);
        return;
      case 'client closed':
        this.#end('the client closed the connection');
        return;
      case 'server closed':
        this.#serverClosed(event.why);
        return;
      case 'held': {
        const message = `held for approval, ticket ${event.ticket.id}`;
        const hint = event.ticket.message || 'The statement runs once a reviewer approves it.';
        this.#notices.push(noticeResponse({ severity: 'NOTICE', sqlstate: '00000', message, hint }));
        return;
      }
      case 'drain':
        this.#draining = true;
        return;
      case 'cancel':
      case 'analysed':
      case 'admitted':
      case 'previewed':
        this.#conversation?.take(event, this.#commands);
        return;
    }
  }

  /** An answer that comes after the end: what it permits does not run. */
  #late(event: Event): void {
    if (event.on !== 'admitted' || !('permit' in event.admission)) return;
    const outcome = { status: 'aborted', detail: { reason: 'the session had ended' } } as const;
    this.#commands.push({ do: 'settle', permit: event.admission.permit, outcome });
  }

  #settleDown(): void {
    const conversation = this.#conversation;
    if (conversation !== null && this.#opening.ready) conversation.proceed(this.#commands);
    if (conversation?.left) {
      this.#end('the client said goodbye');
      return;
    }
    if (this.#notices.length > 0 && this.#scanner.atBoundary)
      this.#commands.push({ do: 'reply', octets: this.#notices.splice(0) });
    if (this.#draining && (conversation === null || conversation.idle))
      this.#fatal(refusal('draining', 'terminating connection: Holdpoint is shutting down'));
  }

  #fromClient(chunk: Buffer): void {
    let rest = chunk;
    if (this.#conversation === null) {
      const opened = this.#opening.packet(chunk, this.#commands);
      this.#ended ||= this.#commands.some((command) => command.do === 'end');
      if (opened === null) return;
      this.#open(opened.startup);
      rest = opened.rest;
    }
    if (rest.length > 0) this.#conversation?.receive(this.#framer.push(rest), this.#phase, this.#commands);
  }

  #open(startup: { user: string; database: string; applicationName: string; packet: Buffer }): void {
    const { user, database, applicationName } = startup;
    const { waits, cached, substitutionSecret } = this.#options;
    this.who = { user, database, application: applicationName };
    const names = new Names();
    const settings = new Settings(user);
    const replies = new Replies({
      names,
      settings,
      settle: ({ permit }, outcome) => this.#commands.push({ do: 'settle', permit, outcome }),
    });
    this.#conversation = new Conversation({
      names,
      settings,
      replies,
      clearance: this.#clearance,
      substitute: createSubstitution(substitutionSecret),
      plan: { database, waits },
      cached,
    });
    this.#commands.push({ do: 'dial' });
    this.#commands.push({ do: 'send', cleared: [this.#clearance.plumbing('startup', startup.packet)] });
  }

  get #phase(): Phase {
    if (this.#opening.ready) return 'open';
    return this.#opening.authenticated ? 'starting' : 'authenticating';
  }

  #fromServer(chunk: Buffer): void {
    const conversation = this.#conversation;
    if (conversation === null) return;
    let trouble: unknown = null;
    const octets = this.#scanner.scan(chunk, (type, body) => {
      try {
        return this.#message(type, body, conversation);
      } catch (error) {
        // What came before it still reaches the client, whole.
        trouble = error;
        return 'cut';
      }
    });
    if (octets.length > 0) this.#commands.push({ do: 'reply', octets });
    if (trouble !== null) throw trouble;
  }

  #message(type: number, body: Buffer | null, conversation: Conversation): Buffer | null {
    if (type === BACKEND.error && body !== null) this.#explained ||= serverError(body).fatal;
    if (!this.#opening.ready) {
      const instead = this.#opening.message(type, body, conversation.settings, this.#commands);
      this.#scanner.readsRows = this.#opening.asking;
      return instead;
    }
    if (type === BACKEND.notice || type === BACKEND.notification) return null;
    if (type !== BACKEND.parameterStatus)
      return conversation.replies.message(type, body, this.#scanner.takeCounts());
    reportStatus(body, conversation.settings);
    return null;
  }

  #serverClosed(why: string | null): void {
    if (this.#explained) {
      this.#end('the server closed the connection');
      return;
    }
    const lost = this.#opening.authenticated ? 'upstream_lost' : 'upstream_unreachable';
    this.#fatal(refusal(lost, why ?? 'the server closed the connection unexpectedly'));
  }

  #fatal(refused: Refusal): void {
    if (this.#ended) return;
    if (this.#scanner.atBoundary)
      this.#commands.push({ do: 'reply', octets: [errorResponse(refusalReport(refused, 'FATAL'))] });
    this.#end(refused.reason);
  }

  #end(why: string): void {
    this.#ended = true;
    const conversation = this.#conversation;
    if (conversation !== null) {
      conversation.abandon(this.#commands);
      this.#commands.push({
        do: 'send',
        cleared: [this.#clearance.plumbing('terminate', terminateMessage())],
      });
    }
    this.#commands.push({ do: 'end', why });
  }
}
