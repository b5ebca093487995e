/** The reviewer's eyes: the next card that Slack shows with an answer to give, and which ticket it is about. */

import type { SlackMessage } from '../stand-ins/slack/workspace.ts';
import type { Scene } from './stage.ts';
import type { World } from './world.ts';

export interface SeenCard {
  readonly card: SlackMessage;
  /** `HP-…` */
  readonly ticket: string;
}

/** What a wait loses a race to, when nothing has come yet. */
export const OPEN: unique symbol = Symbol('open');

const shown = new WeakMap<World, Set<string>>();

/** Waits for a card that was not seen before, and reads it out. */
export async function reviewerSees(world: World, says: Scene['says']): Promise<SeenCard> {
  const seen = shown.get(world) ?? new Set<string>();
  shown.set(world, seen);
  const card = await world.slack.waitForMessage(
    ({ ts, blocks }) => !seen.has(ts) && blocks.some(({ type }) => type === 'actions'),
    20_000,
  );
  seen.add(card.ts);
  const ticket = /HP-[0-9A-Z]{8}/.exec(JSON.stringify(card.blocks))?.[0];
  if (ticket === undefined) throw new Error(`the card names no ticket: ${card.text}`);
  says('reviewer', `Slack #approvals: ${card.text}`);
  return { card, ticket };
}
