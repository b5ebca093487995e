/**
 * Owns one client's connection and the one to the server behind it: turns sockets into a session's events, and its
 * commands into writes. Must never write to the server but what the session has cleared.
 */

import type { Socket } from 'node:net';
import type { Action, Caller, Pipeline } from '../../core/admission.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { Cleared } from '../../protocol/postgres/clearance.ts';
import { cancelRequest } from '../../protocol/postgres/encode.ts';
import type { CancelKey, Command, Event } from '../../protocol/postgres/events.ts';
import type { Question } from '../../protocol/postgres/plan.ts';
import { createSession, type Session, type SessionOptions } from '../../protocol/postgres/session.ts';
import type { SqlAnalyser } from '../../protocol/sql/analysis.ts';
import type { CancelKeys } from './cancel-keys.ts';
import { dial, type Upstream, upstreamName } from './dial.ts';

export interface ConnectionOptions extends Pick<SessionOptions, 'waits'> {
  /** Unique in this process: what the plumbing's permit is bound to. */
  readonly id: string;
  readonly upstream: Upstream;
  readonly pipeline: Pipeline;
  readonly analyser: SqlAnalyser;
  readonly cancelKeys: CancelKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  random(octets: number): Buffer;
}

export interface Connection {
  /** Ends it once nothing runs or waits. */
  drain(): void;
  /** Ends it now. */
  destroy(): void;
}

export function serveConnection(client: Socket, options: ConnectionOptions): Connection {
  return new PostgresConnection(client, options);
}

class PostgresConnection implements Connection {
  readonly #client: Socket;
  readonly #options: ConnectionOptions;
  readonly #session: Session;
  /** Of each action that is asked about: withdraws it. */
  readonly #withdrawals = new Map<number, () => void>();
  #server: Socket | null = null;
  #serverKey: CancelKey | null = null;
  #forgetKey = (): void => {};
  /** Of the time to open the session, then of the time to close it. */
  #cancelTimer: () => void;

  constructor(client: Socket, options: ConnectionOptions) {
    const { id, pipeline, analyser, waits, random } = options;
    this.#client = client;
    this.#options = options;
    this.#session = createSession({
      digest: id,
      permit: pipeline.session(id),
      cancelKey: { pid: random(4).readInt32BE(0), secret: random(32) },
      substitutionSecret: random(32),
      cached: (text) => analyser.cached(text),
      waits,
    });
    client.setNoDelay(true);
    this.#cancelTimer = options.clock.after(LIMITS.pgOpening, () => this.destroy());
    client.on('data', (chunk: Buffer) => this.#happened({ on: 'client octets', chunk }));
    client.on('end', () => this.#happened({ on: 'client closed' }));
    client.on('error', () => this.#happened({ on: 'client closed' }));
    client.on('close', () => this.#happened({ on: 'client closed' }));
    client.on('drain', () => this.#server?.resume());
  }

  drain(): void {
    this.#happened({ on: 'drain' });
  }

  destroy(): void {
    this.#happened({ on: 'client closed' });
    this.#destroySockets();
  }

  #happened(event: Event): void {
    for (const command of this.#session.receive(event)) this.#do(command);
    if (this.#session.congested) this.#client.pause();
    else if (this.#client.isPaused() && !this.#server?.writableNeedDrain) this.#client.resume();
  }

  #do(command: Command): void {
    switch (command.do) {
      case 'dial':
        this.#dial();
        return;
      case 'send':
        this.#send(command.cleared);
        return;
      case 'reply':
        if (!write(this.#client, command.octets)) this.#server?.pause();
        return;
      case 'analyse':
        this.#analyse(command.text);
        return;
      case 'ask':
        this.#ask(command.id, command.question);
        return;
      case 'withdraw':
        this.#withdrawals.get(command.id)?.();
        return;
      case 'settle':
        void this.#options.pipeline.settle(command.permit, command.outcome);
        return;
      case 'key':
        this.#serverKey = command.server;
        this.#cancelTimer();
        this.#forgetKey = this.#options.cancelKeys.register(command.ours, () =>
          this.#happened({ on: 'cancel' }),
        );
        return;
      case 'cancel':
        this.#options.cancelKeys.present(command.key);
        return;
      case 'cancel upstream':
        this.#cancelUpstream();
        return;
      case 'end':
        this.#end(command.why);
        return;
    }
  }

  #dial(): void {
    const { upstream, clock } = this.#options;
    const server = dial(upstream, clock);
    let why: string | null = null;
    server.on('data', (chunk: Buffer) => this.#happened({ on: 'server octets', chunk }));
    server.on('drain', () => {
      if (!this.#session.congested) this.#client.resume();
    });
    server.on('error', (error) => {
      if (server.connecting) why = `cannot connect to ${upstreamName(upstream)}: ${error.message}`;
    });
    server.on('end', () => this.#happened({ on: 'server closed', why }));
    server.on('close', () => this.#happened({ on: 'server closed', why }));
    this.#server = server;
  }

  #send(cleared: readonly Cleared[]): void {
    const server = this.#server;
    if (server === null || server.destroyed || server.writableEnded) return;
    if (!write(server, Cleared.gather(cleared))) this.#client.pause();
  }

  #analyse(text: string): void {
    void this.#options.analyser
      .analyse(text)
      .then((analysis) => this.#happened({ on: 'analysed', text, analysis }));
  }

  #ask(id: number, { mode, action }: Question): void {
    if (mode === 'admit') {
      this.#admit(id, action);
      return;
    }
    void this.#options.pipeline
      .preview(action)
      .then((refusal) => this.#happened({ on: 'previewed', id, refusal }));
  }

  #admit(id: number, action: Action): void {
    // Made when it is looked at: only an action that waits needs one.
    let controller: AbortController | null = null;
    let withdrawn = false;
    const signal = (): AbortSignal => {
      controller ??= new AbortController();
      if (withdrawn) controller.abort();
      return controller.signal;
    };
    this.#withdrawals.set(id, () => {
      withdrawn = true;
      controller?.abort();
    });
    const caller: Caller = {
      get signal() {
        return signal();
      },
      onHeld: (ticket) => this.#happened({ on: 'held', id, ticket }),
      changed: () => this.#session.changed(id),
    };
    void this.#options.pipeline.admit(action, caller).then((admission) => {
      this.#withdrawals.delete(id);
      this.#happened({ on: 'admitted', id, admission });
    });
  }

  /** On a connection of its own, as the protocol wants it; the server answers by closing it. */
  #cancelUpstream(): void {
    const key = this.#serverKey;
    if (key === null) return;
    const { upstream, clock, logger } = this.#options;
    const socket = dial(upstream, clock);
    socket.on('error', (error) =>
      logger.warn({ error: error.message }, 'a cancel request did not get through'),
    );
    socket.on('connect', () => socket.end(cancelRequest(key.pid, key.secret)));
    socket.resume();
  }

  #end(why: string): void {
    this.#forgetKey();
    const { id, logger, clock } = this.#options;
    logger.debug({ connection: id, ...this.#session.who, why }, 'PostgreSQL session ended');
    this.#cancelTimer();
    this.#client.end();
    this.#server?.end();
    // What the other side still sends is not read any more, but has to go somewhere for its end to be seen.
    this.#client.resume();
    this.#server?.resume();
    this.#cancelTimer = clock.after(LIMITS.pgLinger, () => this.#destroySockets());
  }

  #destroySockets(): void {
    this.#client.destroy();
    this.#server?.destroy();
  }
}

/** One write where it can be, else one flush. @returns false when the other side should be read no further. */
function write(socket: Socket, octets: readonly Buffer[]): boolean {
  if (socket.destroyed || socket.writableEnded) return true;
  if (octets.length === 1 && octets[0] !== undefined) return socket.write(octets[0]);
  socket.cork();
  for (const part of octets) socket.write(part);
  socket.uncork();
  return !socket.writableNeedDrain;
}
