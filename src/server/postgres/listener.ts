/**
 * Owns one PostgreSQL listener: accepting, the cap on sessions, and the drain at the end. Must never read what a
 * client sends: a connection does.
 */

import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Pipeline } from '../../core/admission.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { errorResponse } from '../../protocol/postgres/encode.ts';
import type { SqlAnalyser } from '../../protocol/sql/analysis.ts';
import { createCancelKeys } from './cancel-keys.ts';
import { type Connection, serveConnection } from './connection.ts';
import type { Upstream } from './dial.ts';

export interface PostgresListenerOptions {
  /** As configured: for logs. */
  readonly name: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly upstream: Upstream;
  readonly pipeline: Pipeline;
  readonly analyser: SqlAnalyser;
  readonly clock: Clock;
  /** Unguessable octets. */
  random(octets: number): Buffer;
  readonly logger: Logger;
  /** Milliseconds that a client waits for a person, outside and inside a transaction block. */
  readonly waits: { readonly outside: number; readonly inTransaction: number };
  /** Told how many sessions are open whenever that changes. */
  onSessions?(open: number): void;
}

export interface PostgresListener {
  /** @throws when the address cannot be bound. */
  listen(): Promise<{ host: string; port: number }>;
  /** Accepts nothing more, ends idle sessions, lets the others finish for a bounded time. Resolves when none is left. */
  drain(): Promise<void>;
  readonly sessions: number;
}

/** PostgreSQL's own words and SQLSTATE for a server that is full. */
const FULL = errorResponse({
  severity: 'FATAL',
  sqlstate: '53300',
  message: 'sorry, too many clients already',
});

/** Says so, and lets go: a client that never closes its side must not keep the socket, nor the drain, for ever. */
function turnAway(socket: Socket, clock: Clock): void {
  const cancel = clock.after(LIMITS.pgLinger, () => socket.destroy());
  socket.on('error', () => {});
  socket.once('close', cancel);
  socket.once('end', () => socket.destroySoon());
  // Unread octets would turn the close into a reset, which can take the message with it.
  socket.resume();
  socket.end(FULL);
}

export function createPostgresListener(options: PostgresListenerOptions): PostgresListener {
  const { name, listen, upstream, pipeline, analyser, clock, logger, waits } = options;
  const connections = new Map<Socket, Connection>();
  const cancelKeys = createCancelKeys();
  const random = (octets: number): Buffer => options.random(octets);
  const changed = (): void => options.onSessions?.(connections.size);
  let accepted = 0;

  // A client that only closes its sending side has gone, for all that this protocol knows.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (connections.size >= LIMITS.pgSessions) {
      logger.warn({ listener: name, sessions: connections.size }, 'refused a session: too many');
      turnAway(socket, clock);
      return;
    }
    accepted += 1;
    const id = `${name}#${accepted}`;
    const connection = serveConnection(socket, {
      ...{ id, upstream, pipeline, analyser, cancelKeys, clock, logger, waits, random },
    });
    connections.set(socket, connection);
    changed();
    socket.once('close', () => {
      connections.delete(socket);
      changed();
    });
  });

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(listen.port, listen.host, () => {
          server.off('error', reject);
          const { address, port } = server.address() as AddressInfo;
          resolve({ host: address, port });
        });
      }),
    drain: () =>
      new Promise((resolve) => {
        const cancel = clock.after(LIMITS.drain, () => {
          for (const connection of connections.values()) connection.destroy();
        });
        server.close(() => {
          cancel();
          resolve();
        });
        for (const connection of [...connections.values()]) connection.drain();
      }),
    get sessions() {
      return connections.size;
    },
  };
}
