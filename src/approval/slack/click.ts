/**
 * Owns the form of a click as Slack sends it: `block_actions` on one of our buttons. What the payload says is read here
 * once and checked for form. Must never decide anything: the button's value is only what its reader saw.
 */

import { TICKET_ID } from '../../core/ticket.ts';
import { APPROVE, type ButtonValue, DENY } from './blocks.ts';
import type { Place } from './web.ts';

export interface Click {
  /** Slack user id, of the envelope that Slack signed or delivered. */
  readonly user: string;
  /** Workspaces of the user and of the click: both as far as Slack names them. */
  readonly teams: readonly string[];
  /** The message that was clicked. */
  readonly place: Place;
  readonly decision: 'approve' | 'deny';
  readonly value: ButtonValue;
}

/** Null for whatever is not a click on a card of ours. */
export function readClick(body: unknown): Click | null {
  const { type, user, team, container, channel, message, actions } = fields(body);
  if (type !== 'block_actions' || !Array.isArray(actions) || actions.length !== 1) return null;
  const action = fields(actions[0]);
  const decision = DECISIONS.get(text(action.action_id) ?? '');
  const value = readValue(text(action.value));
  const id = text(fields(user).id);
  const place = {
    channel: text(fields(channel).id) ?? text(fields(container).channel_id),
    ts: text(fields(container).message_ts) ?? text(fields(message).ts),
  };
  if (!decision || !value || !id || !place.channel || !place.ts) return null;
  const teams = [text(fields(user).team_id), text(fields(team).id)].filter((each) => each !== null);
  return { user: id, teams, place: { channel: place.channel, ts: place.ts }, decision, value };
}

const DECISIONS = new Map<string, Click['decision']>([
  [APPROVE, 'approve'],
  [DENY, 'deny'],
]);

function readValue(json: string | null): ButtonValue | null {
  if (json === null) return null;
  try {
    const { ticket, digest } = fields(JSON.parse(json));
    const id = text(ticket);
    const hex = text(digest);
    return id && hex && TICKET_ID.test(id) ? { ticket: id, digest: hex } : null;
  } catch {
    return null;
  }
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
