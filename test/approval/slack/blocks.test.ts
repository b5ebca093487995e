import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageOf, plainMessageOf } from '../../../src/approval/slack/blocks.ts';
import { codeFence, codeSpan, escapeMrkdwn } from '../../../src/approval/slack/mrkdwn.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { Answer, Ticket } from '../../../src/core/ticket.ts';
import { problemsOf, TEXT_IN_ALL, textLength } from '../../stand-ins/slack/block-kit.ts';
import { isObject } from '../../stand-ins/slack/json.ts';
import { ticketOf } from '../ticket.ts';

const golden = (name: string) =>
  fileURLToPath(new URL(`../../golden/slack/${name}.golden.json`, import.meta.url));
const approval: Answer = {
  person: 'alice@example.com',
  decision: 'approve',
  reason: null,
  via: 'slack',
  at: 0,
};

const HOSTILE =
  '<!channel> <!here> <@U0ALICE> <#C0X> <https://evil.example|approve> & *bold* _it_ ~no~ `c` ``` @here :rotating_light: \u202e\u200b';

const CARDS: Record<string, Ticket> = {
  pending: ticketOf(),
  quorum: ticketOf({ requirements: [{ groups: ['data-owners', 'dba'], quorum: 2 }], answers: [approval] }),
  approved: ticketOf({ state: 'approved', answers: [approval] }),
  denied: ticketOf({
    state: 'denied',
    answers: [
      { ...approval, person: 'bob@example.com', decision: 'deny', via: 'api', reason: 'Ask for <less>.' },
    ],
    closedReason: 'Denied by bob@example.com: Ask for <less>.',
  }),
  expired: ticketOf({ state: 'expired', closedReason: 'Nobody answered in time.' }),
  withdrawn: ticketOf({ state: 'withdrawn', closedReason: 'The client went away.' }),
  released: ticketOf({ state: 'released', answers: [approval] }),
  stale: ticketOf({ state: 'stale', answers: [approval], closedReason: 'The policy denies it now.' }),
  hostile: ticketOf({
    display: { title: HOSTILE, text: HOSTILE, fields: [{ name: HOSTILE, value: HOSTILE }] },
    rules: [{ id: 'p.r', reason: HOSTILE, severity: 'critical', controls: [] }],
  }),
  long: ticketOf({
    display: { title: 'SELECT', text: `SELECT ${'1,'.repeat(5_000)}1`, fields: [] },
  }),
};

describe('a card in Slack', () => {
  it.each(Object.keys(CARDS))('as it always was: %s', async (name) => {
    const ticket = CARDS[name];
    if (!ticket) throw new Error(name);
    const message = messageOf(ticket);
    expect(problemsOf(message.blocks)).toEqual([]);
    await expect(`${JSON.stringify(message, null, 2)}\n`).toMatchFileSnapshot(golden(name));
  });

  it('has buttons that carry ticket and digest, and only while there is something to answer', () => {
    const { blocks } = messageOf(ticketOf());
    const actions = blocks.find(({ type }) => type === 'actions');
    const value = JSON.stringify({ ticket: 'HP-7K3MQ9ZT', digest: ticketOf().fingerprint.exact });
    expect(actions).toMatchObject({
      elements: [
        { action_id: 'holdpoint.approve', style: 'primary', value },
        { action_id: 'holdpoint.deny', style: 'danger', value },
      ],
    });
    for (const state of ['approved', 'denied', 'expired', 'withdrawn', 'released', 'stale'] as const)
      expect(messageOf(ticketOf({ state })).blocks.some(({ type }) => type === 'actions')).toBe(false);
  });

  it('without a button says where to read it, where Slack refuses the card', () => {
    const message = plainMessageOf(ticketOf());
    expect(problemsOf(message.blocks)).toEqual([]);
    expect(JSON.stringify(message)).not.toContain('actions');
    expect(message.text).toContain('holdpoint approvals show HP-7K3MQ9ZT');
  });
});

/** Every text that Slack would read markup in. */
function mrkdwnTexts(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(mrkdwnTexts);
  if (!isObject(value)) return [];
  if (value.type === 'mrkdwn') return [String(value.text)];
  return Object.values(value).flatMap(mrkdwnTexts);
}

/** What is left of mrkdwn once code is taken out: where markup would count. */
const outsideCode = (text: string) => text.replace(/```[\s\S]*?```/g, '').replace(/`[^`]*`/g, '');

describe('text that an agent had a hand in', () => {
  const spoilt = (text: string) =>
    ticketOf({
      agent: { id: text, owner: text, environment: text, purpose: text, labels: {} },
      display: { title: text, text, fields: [{ name: text, value: text }] },
      rules: [{ id: text, reason: text, severity: 'critical', controls: [] }],
      answers: [{ ...approval, reason: text }],
    });

  it.each([
    ['a mention of everybody', '<!channel>'],
    ['a mention of somebody', '<@U0ALICE>'],
    ['a link with another text', '<https://evil.example|https://good.example>'],
    ['a date', '<!date^0^{date}|x>'],
    ['an escaped mention', '&lt;!channel&gt;'],
    ['formats', '*approved* _by_ ~alice~'],
    ['a code span’s end', '` *bold* <!here> `'],
    ['a fence’s end', '```\n*Approved by alice*\n```'],
    ['a long run of backticks', '`````*x*`````'],
    ['a quote', '> Approved by alice\n>>> and bob'],
    ['a list', '\n• looks like ours\n'],
    ['spaces at the edges', ' *x* '],
    ['nothing', ''],
    ['a bidi override', 'safe\u202e;evil'],
  ])('is shown as it is, and is never markup: %s', (_name, text) => {
    const { blocks, text: fallback } = messageOf(spoilt(text));
    expect(problemsOf(blocks)).toEqual([]);
    for (const each of mrkdwnTexts(blocks)) {
      expect(outsideCode(each)).not.toMatch(/alice|evil|channel|bold|x\*|U0ALICE/);
      expect(each.replace(/<!date\^\d+\^\{date_short_pretty\} \{time\}\|[\d :-]+UTC>/g, '')).not.toMatch(
        /[<>]/,
      );
    }
    expect(fallback).not.toMatch(/[<>]/);
    expect(JSON.stringify(blocks)).not.toMatch(/[\u202e\u200b]/);
  });

  it('escapes what Slack reads as control characters, once', () => {
    expect(escapeMrkdwn('a && b < c > d &amp;')).toBe('a &amp;&amp; b &lt; c &gt; d &amp;amp;');
  });

  it('cannot end a code span or a fence', () => {
    expect(codeSpan('a`b')).toBe('`a⟦U+0060⟧b`');
    expect(codeSpan('')).toBe('_none_');
    expect(codeFence('a``b ```` c')).toBe(`\`\`\`\na\`\`b ${'⟦U+0060⟧'.repeat(4)} c\n\`\`\``);
  });

  it('property: whatever it is, Slack takes the card, whole, and reads no markup in it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 4_000 }),
          fc
            .array(fc.constantFrom('`', '<', '&', '*', '\n', ' ', '\u202e', '🦀', 'a'), { maxLength: 4_000 })
            .map((all) => all.join('')),
        ),
        (text) => {
          const { blocks, text: fallback } = messageOf(spoilt(text));
          expect(problemsOf(blocks)).toEqual([]);
          expect(textLength(blocks)).toBeLessThan(TEXT_IN_ALL);
          expect(fallback).not.toMatch(/[<>]/);
          for (const each of mrkdwnTexts(blocks)) expect((each.match(/```/g) ?? []).length % 2).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('at its longest still fits in one message', () => {
    const worst = '&'.repeat(10_000);
    const { blocks } = messageOf(
      ticketOf({
        display: {
          title: worst,
          text: worst,
          fields: Array.from({ length: 50 }, () => ({ name: 'Search path', value: worst })),
        },
        rules: Array.from({ length: 50 }, () => ({
          id: 'postgres.some_rule',
          reason: worst,
          severity: 'critical' as const,
          controls: [],
        })),
      }),
    );
    expect(problemsOf(blocks)).toEqual([]);
    expect(textLength(blocks)).toBeLessThan(TEXT_IN_ALL);
  });

  it('that is very long is cut honestly within 3000 characters', () => {
    const text = `${'SELECT 1 WHERE a < b & c; '.repeat(4_000)}DELETE FROM customers`;
    const { blocks } = messageOf(ticketOf({ display: { title: 'many', text, fields: [] } }));
    expect(problemsOf(blocks)).toEqual([]);
    const fence = mrkdwnTexts(blocks).find((each) => each.startsWith('```')) ?? '';
    expect(fence.length).toBeLessThanOrEqual(3_000);
    expect(fence.length).toBeGreaterThan(LIMITS.cardText);
    const missing = /⟦… ([\d,]+) characters not shown …⟧/.exec(fence)?.[1] ?? '';
    const shown = fence
      .replace(/⟦….*…⟧/, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&amp;', '&')
      .replace(/```\n?|\n/g, '');
    expect(shown.length + Number(missing.replaceAll(',', ''))).toBe(text.length);
    expect(fence).toContain('DELETE FROM customers');
    expect(JSON.stringify(blocks)).toContain(`Cut: ${missing} of 104,021 characters are not shown`);
  });
});
