/**
 * Owns the request as read: its head, where it would go, and what is known of its body. What every other file of
 * this folder starts from. Must never hold a socket.
 */

import type { DestinationClass } from '../../core/facts.ts';
import type { BodyReading } from './body.ts';
import type { RawHeaders } from './headers.ts';
import type { Target } from './target.ts';

export interface RequestHead {
  readonly method: string;
  readonly target: Target;
  /** `HTTP/1.1`. */
  readonly protocol: string;
  readonly headers: RawHeaders;
  readonly tls: { readonly sni: string | null; readonly intercepted: boolean };
}

/** The address a request will be sent to, resolved once and pinned. */
export interface Destination {
  /** Canonical text; empty where nothing was resolved (offline). */
  readonly address: string;
  readonly port: number;
  readonly class: DestinationClass;
  /** One of our own listeners, by whatever spelling. */
  readonly self: boolean;
}

export interface HttpRequest {
  readonly head: RequestHead;
  readonly destination: Destination;
  readonly body: BodyReading;
  /** Set offline for what the listener refuses outright: two readers could take it for two requests. */
  readonly contradictory?: boolean;
}
