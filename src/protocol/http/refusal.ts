/**
 * Owns how a refusal is said in HTTP: an RFC 9457 problem document with the catalogue's status. Must never carry
 * more than the refusal does.
 */

import { CATALOGUE } from '../../core/errors.ts';
import type { HttpFacts } from '../../core/facts.ts';
import type { Refusal } from '../../core/refusal.ts';

export interface ProblemResponse {
  readonly status: number;
  /** Flat list of names and values. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What the field `Holdpoint-Decision` of every answer of our own says. */
type Answer = 'deny' | 'pending' | 'error';

/** Whose words a client understands besides the problem document's own. */
export type Audience = 'any' | 'kubernetes';

/**
 * kubectl and whatever else is built on client-go print a refusal only where it is a Status object; they go by a name
 * that says so. Everybody else gets the problem document.
 */
export function audienceOf(facts: HttpFacts): Audience {
  const agent = facts.attributes.request.http.headers['user-agent'] ?? '';
  const isClientGo = /^kubectl\/|\bkubernetes\/|\bclient-go\b/.test(agent);
  return facts.action.service === 'kubernetes' && isClientGo ? 'kubernetes' : 'any';
}

export interface ProblemOptions {
  readonly audience?: Audience;
  /** Where the ticket can be asked after. */
  readonly ticketUrl?: ((ticket: string) => string) | undefined;
}

export function problemResponse(refusal: Refusal, options: ProblemOptions = {}): ProblemResponse {
  const { status } = CATALOGUE[refusal.code];
  const [type, document] =
    options.audience === 'kubernetes'
      ? ['application/json', statusObject(refusal)]
      : ['application/problem+json', problemDocument(refusal, options)];
  const body = Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
  const headers = ['Content-Type', type, 'Content-Length', String(body.length), 'Cache-Control', 'no-store'];
  headers.push('Holdpoint-Decision', answerOf(refusal));
  if (refusal.ticket) headers.push('Holdpoint-Ticket', refusal.ticket);
  if (refusal.retryAfter !== null) {
    headers.push('Retry-After', String(Math.max(0, Math.ceil(refusal.retryAfter))));
  }
  return { status, headers, body };
}

/** RFC 9457 section 3. */
function problemDocument(refusal: Refusal, { ticketUrl }: ProblemOptions): object {
  const { status, title, remedy } = CATALOGUE[refusal.code];
  return {
    type: `urn:holdpoint:problem:${refusal.code}`,
    title,
    status,
    detail: refusal.reason,
    ...(refusal.ticket && ticketUrl && { instance: ticketUrl(refusal.ticket) }),
    code: refusal.code,
    rules: refusal.rules.map(({ id, reason, severity }) => ({ id, reason, severity })),
    ticket: refusal.ticket,
    decision: refusal.decision,
    remedy,
  };
}

/** Kubernetes meta/v1 Status. */
function statusObject(refusal: Refusal): object {
  const { status, remedy } = CATALOGUE[refusal.code];
  const ticket = refusal.ticket ? ` (${refusal.ticket})` : '';
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `Holdpoint: ${refusal.reason}${ticket}. ${remedy}`,
    reason: STATUS_REASONS[status] ?? 'InternalError',
    details: { causes: refusal.rules.map(({ id, reason }) => ({ reason: id, message: reason })) },
    code: status,
  };
}

const STATUS_REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'Forbidden',
  409: 'Conflict',
  413: 'RequestEntityTooLarge',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
};

function answerOf({ code }: Refusal): Answer {
  if (code === 'hold_pending') return 'pending';
  return /^(?:policy_denied|hold_|destination_self)/.test(code) ? 'deny' : 'error';
}
