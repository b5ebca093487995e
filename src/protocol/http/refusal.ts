/**
 * Owns how a refusal is said in HTTP: an RFC 9457 problem document with the catalogue's status. Must never carry
 * more than the refusal does.
 */

import { CATALOGUE } from '../../core/errors.ts';
import type { Refusal } from '../../core/refusal.ts';

export interface ProblemResponse {
  readonly status: number;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What the field `Holdpoint-Decision` of every answer of our own says. */
type Answer = 'deny' | 'pending' | 'error';

/** @param method `HEAD` is told the length and gets no body; that is for the sender to see to. */
export function problemResponse(refusal: Refusal): ProblemResponse {
  const { status, title, remedy } = CATALOGUE[refusal.code];
  const document = {
    type: `urn:holdpoint:problem:${refusal.code}`,
    title,
    status,
    detail: refusal.reason,
    code: refusal.code,
    rules: refusal.rules.map(({ id, reason, severity }) => ({ id, reason, severity })),
    ticket: refusal.ticket,
    decision: refusal.decision,
    remedy,
  };
  const body = Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
  const headers = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'Holdpoint-Decision',
    answerOf(refusal),
  ];
  if (refusal.ticket) headers.push('Holdpoint-Ticket', refusal.ticket);
  if (refusal.retryAfter !== null)
    headers.push('Retry-After', String(Math.max(0, Math.ceil(refusal.retryAfter))));
  return { status, headers, body };
}

function answerOf({ code }: Refusal): Answer {
  if (code === 'hold_pending') return 'pending';
  return /^(?:policy_denied|hold_|destination_self)/.test(code) ? 'deny' : 'error';
}
