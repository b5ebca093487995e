/**
 * Owns the ticket: one held action, its states (design section 5) and what reviewers are shown of it.
 * Must never know where tickets are stored or through which door an answer came in.
 */

import type { Requirement, RuleHit } from './decision.ts';
import type { Agent, Facts } from './facts.ts';
import type { Fingerprint } from './fingerprint.ts';

export type TicketState = 'pending' | 'approved' | 'denied' | 'expired' | 'withdrawn' | 'released' | 'stale';

/** Every way a ticket may go. `approved` can still expire unreleased: that is `stale`. */
export const TRANSITIONS: Readonly<Record<TicketState, readonly TicketState[]>> = {
  pending: ['approved', 'denied', 'expired', 'withdrawn'],
  approved: ['released', 'stale'],
  denied: [],
  expired: [],
  withdrawn: [],
  released: [],
  stale: [],
};

/** What a reviewer is shown. Plain text, secrets redacted by the protocol that wrote it; doors escape and cut it. */
export interface Display {
  /** One line in plain words: `SELECT reading customers`, `PATCH apps/deployments api in prod`. */
  readonly title: string;
  /** The exact statement with its parameters, or the exact call with its body, as text. */
  readonly text: string;
  /** Where it would run: host, database, user, role … in the order to show. */
  readonly fields: readonly { readonly name: string; readonly value: string }[];
}

/** One person's answer. `via` names the door: slack, api, cli. */
export interface Answer {
  readonly person: string;
  readonly decision: 'approve' | 'deny';
  readonly reason: string | null;
  readonly via: string;
  readonly at: number;
}

export interface Ticket {
  /** `HP-` and eight Crockford base-32 characters. */
  readonly id: string;
  readonly state: TicketState;
  /** True once the client was told to come back: from then on it outlives its client. */
  readonly parked: boolean;
  readonly agent: Agent;
  readonly kind: Facts['kind'];
  readonly fingerprint: Fingerprint;
  readonly display: Display;
  readonly rules: readonly RuleHit[];
  readonly requirements: readonly Requirement[];
  readonly message: string;
  /** Policy revision that it was held under. */
  readonly revision: string;
  /** Epoch milliseconds. */
  readonly openedAt: number;
  readonly expiresAt: number;
  readonly closedAt: number | null;
  /** Why it is in its state, in a sentence; null while pending. */
  readonly closedReason: string | null;
  readonly answers: readonly Answer[];
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
export const TICKET_ID = /^HP-[0-9A-HJKMNP-TV-Z]{8}$/;

/** Ticket id from five random octets. */
export function ticketId(random: Uint8Array): string {
  let bits = 0n;
  for (const octet of random.subarray(0, 5)) bits = (bits << 8n) | BigInt(octet);
  let id = '';
  for (let index = 0; index < 8; index += 1) {
    id = CROCKFORD.charAt(Number(bits & 31n)) + id;
    bits >>= 5n;
  }
  return `HP-${id}`;
}
