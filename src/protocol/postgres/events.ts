/**
 * Owns the two vocabularies of a session: what happens to it, and what it wants done. Whoever runs it turns sockets
 * into events and commands into sockets. Must never carry a socket, a timer or a promise.
 */

import type { Admission, Outcome } from '../../core/admission.ts';
import type { Permit } from '../../core/permit.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { Ticket } from '../../core/ticket.ts';
import type { SqlAnalysis } from '../sql/analysis.ts';
import type { Cleared } from './clearance.ts';
import type { Question } from './plan.ts';

export type Event =
  | { readonly on: 'client octets' | 'server octets'; readonly chunk: Buffer }
  | { readonly on: 'client closed' }
  /** Also when it cannot be reached: `why` is for the client. */
  | { readonly on: 'server closed'; readonly why: string | null }
  | { readonly on: 'analysed'; readonly text: string; readonly analysis: SqlAnalysis }
  | { readonly on: 'admitted'; readonly id: number; readonly admission: Admission }
  | { readonly on: 'previewed'; readonly id: number; readonly refusal: Refusal | null }
  | { readonly on: 'held'; readonly id: number; readonly ticket: Ticket }
  /** A CancelRequest with this session's key. */
  | { readonly on: 'cancel' }
  | { readonly on: 'drain' };

export interface CancelKey {
  readonly pid: number;
  readonly secret: Buffer;
}

export type Command =
  /** Connect to the server: the first `send` follows. */
  | { readonly do: 'dial' }
  | { readonly do: 'send'; readonly cleared: readonly Cleared[] }
  | { readonly do: 'reply'; readonly octets: readonly Buffer[] }
  | { readonly do: 'analyse'; readonly text: string }
  | { readonly do: 'ask'; readonly id: number; readonly question: Question }
  /** Nobody waits for the answer any more. It may still come. */
  | { readonly do: 'withdraw'; readonly id: number }
  | { readonly do: 'settle'; readonly permit: Permit; readonly outcome: Outcome }
  /** From now on `ours` cancels what `server` names. Comes before the client is told of `ours`. */
  | { readonly do: 'key'; readonly ours: CancelKey; readonly server: CancelKey }
  /** This connection is a CancelRequest. */
  | { readonly do: 'cancel'; readonly key: CancelKey }
  /** What this session runs on the server is to be cancelled. */
  | { readonly do: 'cancel upstream' }
  /** The last command: send what is to be sent, and close both sides. `why` is for the log. */
  | { readonly do: 'end'; readonly why: string };
