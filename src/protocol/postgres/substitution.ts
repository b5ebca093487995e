/**
 * Owns denial by substitution (DESIGN section 6): a refused message is replaced by one that fails on the server, and
 * the error that comes back is known by a word nobody else can say. Must never reuse a word.
 */

import { createHmac } from 'node:crypto';
import type { Refusal } from '../../core/refusal.ts';
import type { Awaited } from './awaited.ts';
import { failingStatement } from './encode.ts';
import type { FrontendMessage } from './frontend.ts';

export interface Substitute {
  readonly octets: Buffer;
  readonly awaited: Awaited;
}

/** `secret` is random, for one session: seeing one word (in pg_stat_activity, say) tells nothing of the next. */
export function createSubstitution(
  secret: Uint8Array,
): (message: FrontendMessage, refusal: Refusal) => Substitute {
  let count = 0;
  return (message, refusal) => {
    count += 1;
    const word = `holdpoint_${createHmac('sha256', secret).update(String(count)).digest('hex').slice(0, 32)}`;
    const as = message.kind === 'query' || message.kind === 'function' ? 'query' : 'parse';
    const remark = ['refused by Holdpoint', refusal.code, refusal.ticket, refusal.decision]
      .filter(Boolean)
      .join(' ');
    return { octets: failingStatement(as, word, remark), awaited: { kind: 'refused', as, word, refusal } };
  };
}
