/**
 * Owns the card as Slack shows it: Block Kit within its limits (50 blocks, 3000 characters a text, 10 fields of 2000,
 * header 150, button value 2000). Pure. Must never put text that is not ours where Slack would read it as markup.
 */

import type { types } from '@slack/bolt';
import type { Severity } from '../../core/decision.ts';
import type { Ticket } from '../../core/ticket.ts';
import { type Card, type CardField, type CardReason, cardOf } from '../card.ts';
import { counted } from '../card-text.ts';
import { codeFence, codeSpan, escapeMrkdwn, weightInCode } from './mrkdwn.ts';

export type Block = types.KnownBlock;

/** A message: `text` is what notifications and screen readers have instead of the blocks. */
export interface Message {
  readonly text: string;
  readonly blocks: readonly Block[];
}

export const APPROVE = 'holdpoint.approve';
export const DENY = 'holdpoint.deny';

/** What a button carries: which ticket, and which digest its reader was shown. Never trusted, only compared. */
export interface ButtonValue {
  readonly ticket: string;
  readonly digest: string;
}

const SLACK_LIMITS = {
  blocks: 50,
  text: 3_000,
  fields: 10,
  header: 150,
} as const;

/** The message that shows `ticket` as it is now. */
export function messageOf(ticket: Ticket): Message {
  const card = cardOf(ticket, weightInCode);
  return {
    text: escapeMrkdwn(
      `${card.headline} (${card.ticket}): ${card.agent} in ${card.environment}: ${card.title}`,
    ),
    blocks: [
      header(`${card.headline}: ${card.title}`),
      ...outcome(card),
      ...fieldSections([
        { name: 'Agent', value: card.agent },
        { name: 'Acting for', value: card.owner },
        { name: 'Environment', value: card.environment },
        { name: 'Purpose', value: card.purpose },
        ...card.where,
      ]),
      ...sections(['*Why a person is asked*', ...card.reasons.map(reason)], mrkdwn),
      section(card.state === 'pending' ? '*Exactly what will run*' : '*Exactly what it was*'),
      section(codeFence(whole(card))),
      ...sections(
        card.notices.map((notice) => `:warning: *${escapeMrkdwn(notice)}*`),
        mrkdwn,
      ),
      context([`${card.ticket}  ·  SHA-256 ${codeSpan(card.digest)}`]),
      ...answering(card),
    ],
  };
}

/**
 * What stands in where Slack refuses the card itself: it names the ticket and offers no button, because nobody shall
 * approve what they were not shown.
 */
export function plainMessageOf(ticket: Ticket): Message {
  const card = cardOf(ticket, weightInCode);
  const text = escapeMrkdwn(
    `${card.headline} (${card.ticket}). Slack refused to show this card: holdpoint approvals show ${card.ticket}`,
  );
  return { text, blocks: [section(text), context([`SHA-256 ${codeSpan(card.digest)}`])] };
}

function whole({ text }: Card): string {
  if (text.missing === 0) return text.head;
  return `${text.head}\n⟦… ${counted(text.missing, 'character')} not shown …⟧\n${text.tail}`;
}

const MARKS: Readonly<Record<Severity, string>> = {
  info: ':white_circle:',
  low: ':large_blue_circle:',
  medium: ':large_yellow_circle:',
  high: ':large_orange_circle:',
  critical: ':red_circle:',
};

function reason({ severity, rule, text }: CardReason): string {
  return `${MARKS[severity]} ${severity}: ${codeSpan(text)}  (${codeSpan(rule)})`;
}

function outcome(card: Card): readonly Block[] {
  return card.outcome === null ? [] : sections([card.outcome], plain);
}

/** Who is needed, who has answered, and the buttons; nothing once there is nothing to answer. */
function answering(card: Card): readonly Block[] {
  if (card.state !== 'pending') return [];
  return [
    section(`*Needed* until ${when(card.expiresAt)}, from somebody other than ${codeSpan(card.owner)}`),
    ...sections(
      [...card.needed, ...card.answers].map((each) => `• ${each}`),
      plain,
    ),
    {
      type: 'actions',
      block_id: `holdpoint.${card.ticket}`,
      elements: [button('Approve', APPROVE, 'primary', card), button('Deny', DENY, 'danger', card)],
    },
  ];
}

function button(label: string, action: string, style: 'primary' | 'danger', card: Card): types.Button {
  const value: ButtonValue = { ticket: card.ticket, digest: card.digest };
  return {
    type: 'button',
    action_id: action,
    style,
    text: plain(label),
    value: JSON.stringify(value),
  };
}

/** In the reader's own time zone; UTC where Slack cannot tell. */
function when(at: number): string {
  const utc = `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  return `<!date^${Math.floor(at / 1000)}^{date_short_pretty} {time}|${utc}>`;
}

function header(text: string): Block {
  const room = SLACK_LIMITS.header;
  const fitted = text.length <= room ? text : `${text.slice(0, room - 1).replace(/[\ud800-\udbff]$/, '')}…`;
  return { type: 'header', text: plain(fitted) };
}

function section(text: string): Block {
  return { type: 'section', text: mrkdwn(text) };
}

function context(texts: readonly string[]): Block {
  return { type: 'context', elements: texts.map(mrkdwn) };
}

type TextElement = types.MrkdwnElement | types.PlainTextElement;

/** Text in which Slack reads no markup at all. */
function plain(text: string): types.PlainTextElement {
  return { type: 'plain_text', text, emoji: false };
}

/** `verbatim`: Slack shall not look for addresses, channels and names by itself. */
function mrkdwn(text: string): types.MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}

function fieldSections(fields: readonly CardField[]): readonly Block[] {
  const shown = fields.map(({ name, value }) => mrkdwn(`*${plainName(name)}*\n${codeSpan(value)}`));
  const found: Block[] = [];
  for (let at = 0; at < shown.length; at += SLACK_LIMITS.fields)
    found.push({ type: 'section', fields: shown.slice(at, at + SLACK_LIMITS.fields) });
  return found;
}

/** Field names are a protocol's own words; one that is not is code like any value. */
function plainName(name: string): string {
  return /^[A-Za-z][A-Za-z0-9 -]*$/.test(name) ? name : codeSpan(name);
}

/** As few sections as it takes; every line fits one. */
function sections(lines: readonly string[], element: (text: string) => TextElement): readonly Block[] {
  const found: string[] = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= SLACK_LIMITS.text)
      found[found.length - 1] = `${last}\n${line}`;
    else found.push(line);
  }
  return found.map((text) => ({ type: 'section', text: element(text) }));
}
