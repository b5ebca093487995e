/** Owns a refusal in PostgreSQL's own words. Must never say more than the refusal does. */

import { CATALOGUE, type ErrorCode } from '../../core/errors.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { Report } from './encode.ts';

/** What the server would have said in the same words: nothing is added. */
const SERVERS_OWN: readonly ErrorCode[] = [
  'sql_unparseable',
  'statement_unknown',
  'portal_unknown',
  'transaction_failed',
];

export function refusalReport(refusal: Refusal, severity: 'ERROR' | 'FATAL' = 'ERROR'): Report {
  const { code, reason: message, rules, ticket, decision } = refusal;
  const { sqlstate, title, remedy } = CATALOGUE[code];
  const own = SERVERS_OWN.includes(code);
  const detail = [
    title,
    rules.length > 0 ? `rules: ${rules.map((rule) => rule.id).join(', ')}` : null,
    ticket === null ? null : `ticket: ${ticket}`,
    decision === null ? null : `decision: ${decision}`,
  ].filter((part) => part !== null);
  return { severity, sqlstate, message, ...(own ? {} : { detail: detail.join('; '), hint: remedy }) };
}
