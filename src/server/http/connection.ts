/**
 * Owns what is known of a client connection beyond its octets: the tunnel it came through, and the requests under
 * way on it. Must never know what is sent on it.
 */

import type { ServerResponse } from 'node:http';
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
  /** Counts a request in, until its response is finished or gone; the number now under way on its connection. */
  begin(socket: Duplex, response: ServerResponse): number;
  underWay(socket: Duplex): readonly ServerResponse[];
}

export function createConnections(): Connections {
  const contexts = new WeakMap<Duplex, ConnectionContext>();
  const responses = new WeakMap<Duplex, Set<ServerResponse>>();
  return {
    contextOf: (socket) => contexts.get(socket) ?? DIRECT,
    enter: (socket, context) => void contexts.set(socket, context),
    begin(socket, response) {
      const open = responses.get(socket) ?? new Set();
      responses.set(socket, open);
      open.add(response);
      response.once('close', () => open.delete(response));
      return open.size;
    },
    underWay: (socket) => [...(responses.get(socket) ?? [])],
  };
}
