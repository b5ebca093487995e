/**
 * Owns reading what a client of the control API sent, strictly: what is not understood whole is refused, never
 * guessed. Pure. Must never know who sent it.
 */

import { isJsonObject } from '../core/json.ts';
import { LIMITS } from '../core/limits.ts';
import type { TicketFilter } from '../core/ports.ts';
import { type TicketState, TRANSITIONS } from '../core/ticket.ts';

/** A value, or why there is none: a sentence for the client. */
export type Read<T> = { readonly value: T } | { readonly wrong: string };

export interface DecisionBody {
  readonly decision: 'approve' | 'deny';
  readonly reason: string | null;
}

const FILTERS = ['state', 'limit', 'cursor'];

/** `state=pending,approved&limit=20&cursor=…`; each at most once. */
export function readFilter(query: string): Read<TicketFilter> {
  const given = new URLSearchParams(query);
  const names = [...given.keys()];
  const odd = names.find((name, index) => !FILTERS.includes(name) || names.indexOf(name) !== index);
  if (odd !== undefined)
    return { wrong: `the query parameter ${JSON.stringify(odd)} is unknown, or given twice` };

  const states = given.get('state')?.split(',') ?? [];
  const unknown = states.find((state) => !Object.hasOwn(TRANSITIONS, state));
  if (unknown !== undefined)
    return { wrong: `state ${JSON.stringify(unknown)} is none of ${Object.keys(TRANSITIONS).join(', ')}` };
  const limit = given.get('limit');
  if (limit !== null && !(/^[1-9]\d{0,3}$/.test(limit) && Number(limit) <= LIMITS.controlPage))
    return { wrong: `limit is a number from 1 to ${LIMITS.controlPage}` };
  const cursor = given.get('cursor');
  if (cursor !== null && !/^[1-9]\d{0,14}$/.test(cursor))
    return { wrong: 'cursor is the "next" of the page before' };

  return {
    value: {
      ...(states.length > 0 ? { states: states as TicketState[] } : {}),
      ...(limit === null ? {} : { limit: Number(limit) }),
      ...(cursor === null ? {} : { cursor }),
    },
  };
}

const MEMBERS = ['decision', 'reason', 'scope', 'ttl'];

/** `{ "decision": "approve" | "deny", "reason"?: string, "scope"?: "once" }`. */
export function readDecision(body: Uint8Array): Read<DecisionBody> {
  const members = readFlatObject(body);
  if ('wrong' in members) return members;
  const { decision, reason = null, scope = 'once', ttl } = members.value;
  const unknown = Object.keys(members.value).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) return { wrong: `the member ${JSON.stringify(unknown)} is unknown` };
  if (decision !== 'approve' && decision !== 'deny')
    return { wrong: '"decision" is to be "approve" or "deny"' };
  if (scope !== 'once' || ttl !== undefined)
    return { wrong: 'this version approves one action at a time: "scope" can only be "once", without "ttl"' };
  return { value: { decision, reason } };
}

/** A JSON object of strings and nulls. Two members of one name are refused: readers differ on which one counts. */
function readFlatObject(body: Uint8Array): Read<Record<string, string | null>> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    value = JSON.parse(text);
  } catch {
    return { wrong: 'the body is not JSON in UTF-8' };
  }
  if (!isJsonObject(value)) return { wrong: 'the body is to be a JSON object' };
  const entries = Object.entries(value);
  for (const [name, member] of entries) {
    if (member !== null && typeof member !== 'string')
      return { wrong: `the member ${JSON.stringify(name)} is to be a string` };
  }
  // In a flat object, every colon outside a string ends the name of one member.
  const colons = text.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;
  if (colons !== entries.length) return { wrong: 'the body names a member twice' };
  return { value: Object.fromEntries(entries) as Record<string, string | null> };
}
