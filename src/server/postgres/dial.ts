/** Owns connecting to a PostgreSQL server: TCP, or the Unix socket in a directory. Must never send anything. */

import { connect, type Socket } from 'node:net';
import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';

/** As in `postgres.upstream`: a host that starts with `/` is the directory of a Unix socket. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

export function upstreamName({ host, port }: Upstream): string {
  if (host.startsWith('/')) return `${host}/.s.PGSQL.${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A socket that is connecting; it errs when that takes too long. What is written before it connects, waits. */
export function dial(upstream: Upstream, clock: Clock): Socket {
  const { host, port } = upstream;
  const socket = host.startsWith('/')
    ? connect({ path: upstreamName(upstream) })
    : connect({ host, port, noDelay: true, keepAlive: true });
  const cancel = clock.after(LIMITS.upstreamConnect, () =>
    socket.destroy(new Error(`no connection within ${LIMITS.upstreamConnect} ms`)),
  );
  socket.once('connect', cancel).once('close', cancel);
  return socket;
}
