/**
 * Owns what can go wrong with a call to Slack, sorted by what to do about it. Must never carry a token or a payload:
 * it is logged.
 */

import { messageOf } from '../../core/errors.ts';

export type SlackTrouble =
  /** Slack asks for a pause. */
  | { readonly kind: 'limited'; readonly afterMs: number; readonly detail: string }
  /** No answer, or not one of the Web API: try again. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** The Web API's own `error`: trying the same again will give the same, until somebody changes something. */
  | { readonly kind: 'refused'; readonly error: string; readonly detail: string };

/** Sorts whatever Slack's client threw. Its error classes differ by copy of the package, so codes are what counts. */
export function troubleOf(error: unknown): SlackTrouble {
  const { code, retryAfter, data, statusCode } = fieldsOf(error);
  const detail = messageOf(error);
  if (code === 'slack_webapi_rate_limited_error' && typeof retryAfter === 'number')
    return { kind: 'limited', afterMs: Math.max(1, retryAfter) * 1_000, detail };
  if (code === 'slack_webapi_platform_error') {
    const refused = fieldsOf(data).error;
    // Slack's own trouble comes in the same form as a refusal.
    if (typeof refused === 'string' && /^[a-z_]{1,60}$/.test(refused) && !PASSING.has(refused))
      return { kind: 'refused', error: refused, detail: `Slack answered ${refused}` };
    return { kind: 'unreachable', detail: 'Slack answered that it is in trouble' };
  }
  if (typeof statusCode === 'number')
    return { kind: 'unreachable', detail: `Slack answered HTTP ${statusCode}` };
  return { kind: 'unreachable', detail };
}

const PASSING = new Set([
  'fatal_error',
  'internal_error',
  'request_timeout',
  'service_unavailable',
  'team_added_to_org',
  'ratelimited',
  'rate_limited',
]);

interface ErrorFields {
  readonly code?: unknown;
  readonly retryAfter?: unknown;
  readonly data?: unknown;
  readonly error?: unknown;
  readonly statusCode?: unknown;
}

function fieldsOf(value: unknown): ErrorFields {
  return typeof value === 'object' && value !== null ? value : {};
}
