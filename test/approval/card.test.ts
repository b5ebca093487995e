import { describe, expect, it } from 'vitest';
import { cardOf } from '../../src/approval/card.ts';
import { LIMITS } from '../../src/core/limits.ts';
import type { Answer, Ticket, TicketState } from '../../src/core/ticket.ts';
import { ticketOf } from './ticket.ts';

const approval: Answer = {
  person: 'alice@example.com',
  decision: 'approve',
  reason: null,
  via: 'slack',
  at: 0,
};
const denial: Answer = {
  person: 'bob@example.com',
  decision: 'deny',
  reason: 'ask for\nfewer',
  via: 'cli',
  at: 0,
};

describe('a card', () => {
  it('says who asks, for whom, where, why, what, and who is needed', () => {
    const card = cardOf(ticketOf());
    expect(card).toMatchObject({
      ticket: 'HP-7K3MQ9ZT',
      headline: 'Approval needed',
      title: 'SELECT reading customers',
      agent: 'billing-bot',
      owner: 'dana@example.com',
      environment: 'production',
      purpose: 'nightly reconciliation',
      severity: 'high',
      where: [
        { name: 'Database', value: 'app' },
        { name: 'User', value: 'agent' },
      ],
      text: { head: 'SELECT * FROM customers', missing: 0 },
      notices: [],
      digest: ticketOf().fingerprint.exact,
      needed: ['1 person of data-owners'],
      outcome: null,
    });
    expect(card.reasons.map(({ text }) => text)).toEqual(['reads all of customers', 'no LIMIT']);
  });

  it('names every requirement, and the answers so far', () => {
    const card = cardOf(
      ticketOf({
        requirements: [
          { groups: ['data-owners', 'dba'], quorum: 2 },
          { groups: [], quorum: 1 },
        ],
        answers: [approval],
      }),
    );
    expect(card.needed).toEqual(['2 different people of data-owners or dba', '1 person']);
    expect(card.answers).toEqual(['Approved by alice@example.com in Slack']);
  });

  it.each<[TicketState, Partial<Ticket>, string, string]>([
    [
      'approved',
      { answers: [approval] },
      'Approved',
      'Approved by alice@example.com in Slack. It may run once.',
    ],
    [
      'released',
      { answers: [approval, { ...approval, person: 'bob@example.com', via: 'api' }] },
      'Approved and released',
      'Approved by alice@example.com in Slack; Approved by bob@example.com over the API. It was let through, once.',
    ],
    [
      'denied',
      { answers: [denial], closedReason: 'Denied by bob@example.com: ask for\nfewer' },
      'Denied',
      'Denied by bob@example.com in the terminal: ask for⟦U+000A⟧fewer. Nothing ran.',
    ],
    ['denied', { closedReason: 'Denied.' }, 'Denied', 'Denied; nothing ran. Denied.'],
    [
      'expired',
      { closedReason: 'Nobody answered in time.' },
      'Expired unanswered',
      'Nobody answered in time; nothing ran. This is not a denial: it may be asked again.',
    ],
    [
      'withdrawn',
      { closedReason: 'the client disconnected' },
      'Withdrawn',
      'Withdrawn before an answer; nothing ran. the client disconnected.',
    ],
    [
      'stale',
      { answers: [approval], closedReason: 'The policy denies it now.' },
      'Approval no longer fits',
      'Approved by alice@example.com in Slack. It no longer fits, and nothing ran. The policy denies it now.',
    ],
  ])('that is %s says so, by whom and why', (state, more, headline, outcome) => {
    const card = cardOf(ticketOf({ state, ...more }));
    expect(card.headline).toBe(headline);
    expect(card.outcome).toBe(outcome);
  });

  it('says that it was cut, by how much, and that the rest would be approved unseen', () => {
    const fits = cardOf(ticketOf({ display: { title: 't', text: 'x'.repeat(LIMITS.cardText), fields: [] } }));
    expect(fits.notices).toEqual([]);
    const cut = cardOf(
      ticketOf({ display: { title: 't', text: 'x'.repeat(LIMITS.cardText + 1_234), fields: [] } }),
    );
    expect(cut.text.head.length + cut.text.tail.length).toBe(LIMITS.cardText);
    expect(cut.notices).toEqual([
      'Cut: 1,234 of 3,834 characters are not shown, and approving approves them too. All of it: holdpoint approvals show HP-7K3MQ9ZT',
    ]);
  });

  it('says that something is spelt out', () => {
    const text = "DELETE FROM t -- \u202e'1'=\u200b1";
    const card = cardOf(ticketOf({ display: { title: 'DELETE \u202e', text, fields: [] } }));
    expect(card.text.head).toBe("DELETE FROM t -- ⟦U+202E⟧'1'=⟦U+200B⟧1");
    expect(card.title).toBe('DELETE ⟦U+202E⟧');
    expect(card.notices).toEqual(['Spelt out as ⟦U+…⟧: 2 invisible or control characters.']);
  });

  it('bounds values, fields, reasons and answers, and says what it leaves out', () => {
    const many = <T>(count: number, item: (index: number) => T) =>
      Array.from({ length: count }, (_, i) => item(i));
    const full = ticketOf({
      display: {
        title: 'x'.repeat(LIMITS.cardValue),
        text: 't',
        fields: many(LIMITS.cardFields, (i) => ({ name: `f${i}`, value: 'v' })),
      },
      rules: many(LIMITS.cardReasons, (i) => ({ id: `r${i}`, reason: 'r', severity: 'low', controls: [] })),
      answers: many(LIMITS.cardAnswers, () => approval),
    });
    const card = cardOf(full);
    expect(card.title).toHaveLength(LIMITS.cardValue);
    expect([card.where.length, card.reasons.length, card.answers.length]).toEqual([
      LIMITS.cardFields,
      LIMITS.cardReasons,
      LIMITS.cardAnswers,
    ]);
    const over = cardOf({
      ...full,
      display: {
        ...full.display,
        title: `${full.display.title}yz`,
        fields: [...full.display.fields, { name: 'a', value: 'b' }],
      },
      rules: [...full.rules, { id: 'last', reason: 'the gravest', severity: 'critical', controls: [] }],
      answers: [...full.answers, approval, approval],
    });
    expect(over.title).toBe(`${'x'.repeat(LIMITS.cardValue)}… (and 2 characters)`);
    expect(over.where.at(-1)).toEqual({ name: 'Not shown', value: '1 field more' });
    expect(over.reasons.at(-1)).toEqual({ severity: 'critical', rule: 'not shown', text: '1 reason more' });
    expect(over.answers.at(-1)).toBe('2 answers more');
    expect(over.severity).toBe('critical');
  });
});
