/**
 * Owns what a click may do: from the Slack user id to a person, from the person to an answer at the desk. Every check is
 * against server state; the click only says who, which ticket and which digest was on the screen.
 * Must never take a name, an e-mail address or a ticket's state from the payload.
 */

import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/ports.ts';
import type { DeskDoors, People, Person } from '../doors.ts';
import type { Click } from './click.ts';
import { DOOR } from './showing.ts';
import type { Account, Identity } from './web.ts';

/** Null: the answer counts, and the card will say so. Else what to tell the clicker, and nobody else. */
export type ClickHandler = (click: Click) => Promise<string | null>;

export function createClickHandler({
  doors,
  people,
  identity,
  account,
  logger,
}: {
  readonly doors: DeskDoors;
  readonly people: People;
  /** Our own workspace. Rejects while Slack has not told it yet. */
  readonly identity: () => Promise<Identity>;
  readonly account: (user: string, team: string) => Promise<Account>;
  readonly logger: Logger;
}): ClickHandler {
  /** Who clicked, or why that person may not. */
  async function personOf(click: Click): Promise<Person | string> {
    const { team } = await identity();
    if (click.teams.length === 0 || click.teams.some((each) => each !== team))
      return 'you are signed in to another workspace than this app belongs to.';
    const person = people.bySlack(click.user);
    if (person === null)
      return `nobody in Holdpoint’s list of people has your Slack user id (${click.user}). Ask the operator to add it under approvals.people.`;
    const standing = await account(click.user, team);
    return standing.standing === 'refused' ? `${standing.because}.` : person;
  }

  async function answer(click: Click): Promise<string | null> {
    const person = await personOf(click);
    if (typeof person === 'string') return person;
    const ticket = await doors.get(click.value.ticket);
    if (ticket === null) return 'there is no such ticket (any more).';
    if (ticket.fingerprint.exact !== click.value.digest)
      return `this card is not about what ${ticket.id} holds: the digests differ.`;
    const result = await doors.answer(ticket.id, {
      person,
      decision: click.decision,
      reason: null,
      via: DOOR,
    });
    return result.ok ? null : result.reason;
  }

  return async (click) => {
    const fields = { door: DOOR, ticket: click.value.ticket, user: click.user, decision: click.decision };
    try {
      const why = await answer(click);
      if (why === null) logger.info(fields, 'answered in Slack');
      else logger.warn({ ...fields, why }, 'an answer in Slack was refused');
      return why === null ? null : `Your answer does not count: ${why}`;
    } catch (error) {
      const trouble = messageOf(error);
      logger.error({ ...fields, trouble }, 'an answer in Slack could not be checked');
      return 'Your answer does not count: it could not be checked just now. Click again in a moment.';
    }
  };
}
