/**
 * Owns what is known of a client connection beyond its octets: the tunnel it came through. Must never know what
 * is sent on it.
 */

import type { Duplex } from 'node:stream';
import type { Refusal } from '../../core/refusal.ts';
import type { Origin } from '../../protocol/http/target.ts';

export interface ConnectionContext {
  /** What the tunnel leads to; null on a connection to the proxy itself. */
  readonly origin: Origin | null;
  readonly tls: { readonly sni: string | null; readonly intercepted: boolean };
  /** Set where the tunnel itself is wrong: every request in it is answered with this. */
  readonly refusal: Refusal | null;
}

const DIRECT: ConnectionContext = { origin: null, tls: { sni: null, intercepted: false }, refusal: null };

export interface Connections {
  contextOf(socket: Duplex): ConnectionContext;
  enter(socket: Duplex, context: ConnectionContext): void;
  /** Counts a request in; the number now under way on its connection. */
  begin(socket: Duplex): number;
  end(socket: Duplex): void;
  underWay(socket: Duplex): number;
}

export function createConnections(): Connections {
  const contexts = new WeakMap<Duplex, ConnectionContext>();
  const counts = new WeakMap<Duplex, number>();
  const add = (socket: Duplex, by: number): number => {
    const count = (counts.get(socket) ?? 0) + by;
    counts.set(socket, count);
    return count;
  };
  return {
    contextOf: (socket) => contexts.get(socket) ?? DIRECT,
    enter: (socket, context) => void contexts.set(socket, context),
    begin: (socket) => add(socket, 1),
    end: (socket) => void add(socket, -1),
    underWay: (socket) => counts.get(socket) ?? 0,
  };
}
