/**
 * Owns the card: what a reviewer is told about one ticket, in words, for any door. Pure. Everything in it that an agent
 * had a hand in is already safe to look at (card-text.ts); a door only adds its own markup and escapes for that.
 * Must never know a door's format, and never leave out that something was left out.
 */

import type { Severity } from '../core/decision.ts';
import { LIMITS } from '../core/limits.ts';
import type { Answer, Ticket, TicketState } from '../core/ticket.ts';
import { counted, type ShownText, showBlock, showLine, type Weigh } from './card-text.ts';

export interface CardField {
  readonly name: string;
  readonly value: string;
}

export interface CardReason {
  readonly severity: Severity;
  readonly rule: string;
  readonly text: string;
}

export interface Card {
  readonly ticket: string;
  readonly state: TicketState;
  /** Two or three words: `Approval needed`, `Denied`. */
  readonly headline: string;
  /** The action in plain words, one line. */
  readonly title: string;
  /** The gravest of the reasons. */
  readonly severity: Severity;
  readonly agent: string;
  /** On whose behalf: this person's own approval never counts. */
  readonly owner: string;
  readonly environment: string;
  readonly purpose: string;
  /** Where it would run. */
  readonly where: readonly CardField[];
  readonly reasons: readonly CardReason[];
  /** The exact text, cut in the middle where it is long. */
  readonly text: ShownText;
  /** Said next to the text: that it was cut, that something is spelt out. Empty when it is shown as it is. */
  readonly notices: readonly string[];
  /** What an approval covers: SHA-256 in hex, of everything, shown or not. */
  readonly digest: string;
  /** Who has to approve; one line for each requirement. */
  readonly needed: readonly string[];
  /** One line for each answer so far. */
  readonly answers: readonly string[];
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** What became of it, by whom and why; null while pending. */
  readonly outcome: string | null;
}

/** What reviewers are shown of `ticket`, as it is now, in as much room as `weigh` leaves it. */
export function cardOf(ticket: Ticket, weigh?: Weigh): Card {
  const { agent, display } = ticket;
  const line: Line = (value) => showLine(value, LIMITS.cardValue, weigh);
  const text = showBlock(display.text, LIMITS.cardText, weigh);
  return {
    ticket: ticket.id,
    state: ticket.state,
    headline: HEADLINES[ticket.state],
    title: line(display.title),
    severity: gravest(ticket),
    agent: line(agent.id),
    owner: line(agent.owner),
    environment: line(agent.environment),
    purpose: line(agent.purpose),
    where: bounded(
      display.fields.map(({ name, value }) => ({ name: line(name), value: line(value) })),
      LIMITS.cardFields,
      (more) => ({ name: 'Not shown', value: `${counted(more, 'field')} more` }),
    ),
    reasons: bounded(
      ticket.rules.map(({ id, reason, severity }) => ({ severity, rule: line(id), text: line(reason) })),
      LIMITS.cardReasons,
      (more) => ({ severity: gravest(ticket), rule: 'not shown', text: `${counted(more, 'reason')} more` }),
    ),
    text,
    notices: noticesOf(text, ticket.id),
    digest: ticket.fingerprint.exact,
    needed: neededOf(ticket, line),
    answers: bounded(
      ticket.answers.map((answer) => answerLine(answer, line)),
      LIMITS.cardAnswers,
      (more) => `${counted(more, 'answer')} more`,
    ),
    expiresAt: ticket.expiresAt,
    outcome: outcomeOf(ticket, line),
  };
}

const HEADLINES: Readonly<Record<TicketState, string>> = {
  pending: 'Approval needed',
  approved: 'Approved',
  denied: 'Denied',
  expired: 'Expired unanswered',
  withdrawn: 'Withdrawn',
  released: 'Approved and released',
  stale: 'Approval no longer fits',
};

const GRAVITY: readonly Severity[] = ['info', 'low', 'medium', 'high', 'critical'];

function gravest({ rules }: Ticket): Severity {
  const highest = Math.max(0, ...rules.map(({ severity }) => GRAVITY.indexOf(severity)));
  return GRAVITY[highest] ?? 'info';
}

/** One value, safe to look at and short enough. */
type Line = (value: string) => string;

/** The first `most`, and what stands for the others. */
function bounded<T>(items: readonly T[], most: number, rest: (more: number) => T): readonly T[] {
  return items.length <= most ? items : [...items.slice(0, most), rest(items.length - most)];
}

function noticesOf(text: ShownText, id: string): readonly string[] {
  const notices: string[] = [];
  if (text.missing > 0)
    notices.push(
      `Cut: ${text.missing.toLocaleString('en-US')} of ${counted(text.total, 'character')} are not shown, and approving ` +
        `approves them too. All of it: holdpoint approvals show ${id}`,
    );
  if (text.spelt > 0)
    notices.push(`Spelt out as ⟦U+…⟧: ${counted(text.spelt, 'invisible or control character')}.`);
  return notices;
}

function neededOf({ requirements }: Ticket, line: Line): readonly string[] {
  return requirements.map(({ groups, quorum }) => {
    const people = quorum === 1 ? '1 person' : `${quorum} different people`;
    return groups.length === 0 ? people : `${people} of ${groups.map((group) => line(group)).join(' or ')}`;
  });
}

const DOORS: Readonly<Record<string, string>> = {
  slack: 'in Slack',
  teams: 'in Teams',
  api: 'over the API',
  cli: 'in the terminal',
  console: 'in the console',
};

function answerLine({ person, decision, reason, via }: Answer, line: Line): string {
  const verb = decision === 'approve' ? 'Approved' : 'Denied';
  const door = DOORS[via] ?? `through ${line(via)}`;
  const why = reason === null || reason.trim() === '' ? '' : `: ${line(reason)}`;
  return `${verb} by ${line(person)} ${door}${why}`;
}

function outcomeOf(ticket: Ticket, line: Line): string | null {
  const why = ticket.closedReason === null ? '' : ` ${sentence(line(ticket.closedReason))}`;
  switch (ticket.state) {
    case 'pending':
      return null;
    case 'approved':
      return `${approvals(ticket, line)} It may run once.`;
    case 'released':
      return `${approvals(ticket, line)} It was let through, once.`;
    case 'stale':
      return `${approvals(ticket, line)} It no longer fits, and nothing ran.${why}`;
    case 'denied': {
      const denial = ticket.answers.find(({ decision }) => decision === 'deny');
      return denial === undefined
        ? `Denied; nothing ran.${why}`
        : `${sentence(answerLine(denial, line))} Nothing ran.`;
    }
    case 'expired':
      return 'Nobody answered in time; nothing ran. This is not a denial: it may be asked again.';
    case 'withdrawn':
      return `Withdrawn before an answer; nothing ran.${why}`;
  }
}

function approvals({ answers }: Ticket, line: Line): string {
  const given = answers
    .filter(({ decision }) => decision === 'approve')
    .map((answer) => answerLine(answer, line));
  const shown = bounded(given, LIMITS.cardAnswers, (more) => `and ${more} more`);
  return given.length === 0 ? 'Approved.' : sentence(shown.join('; '));
}

/** Ends with a full stop, whatever it ended with. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
