import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration, parseSize } from '../../src/core/duration.ts';
import { type DigestField, digestOf } from '../../src/core/fingerprint.ts';
import { mintPermit } from '../../src/core/permit.ts';
import { TICKET_ID, type TicketState, TRANSITIONS, ticketId } from '../../src/core/ticket.ts';

describe('the exact digest', () => {
  const field: fc.Arbitrary<DigestField> = fc.oneof(
    fc.string(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
  );
  const octets = (value: DigestField) => (value === null ? null : Buffer.from(value).toString('hex'));

  it('differs whenever the fields do, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(field), fc.array(field), (a, b) => {
        const same = JSON.stringify(a.map(octets)) === JSON.stringify(b.map(octets));
        expect(digestOf('sql', a) === digestOf('sql', b)).toBe(same);
      }),
    );
  });

  it.each([
    [
      ['ab', 'c'],
      ['a', 'bc'],
    ],
    [['a', ''], ['a']],
    [[null], ['']],
    [[], [null]],
  ] satisfies [DigestField[], DigestField[]][])('tells %j from %j', (a, b) => {
    expect(digestOf('sql', a)).not.toBe(digestOf('sql', b));
  });

  it('differs between domains', () => {
    expect(digestOf('sql', ['x'])).not.toBe(digestOf('http', ['x']));
  });
});

describe('a permit', () => {
  it('of a session may be spent again and again, of an action once', () => {
    const session = mintPermit('session', 'd1', 'conn', null);
    session.spend('conn');
    session.spend('conn');
    const action = mintPermit('action', 'd2', 'digest', null);
    action.spend('digest');
    expect(() => action.spend('digest')).toThrow(/twice/);
  });

  it('is for nothing else, not even after a failed try', () => {
    const permit = mintPermit('action', 'd', 'digest', null);
    expect(() => permit.spend('other')).toThrow(/other octets/);
    permit.spend('digest');
  });
});

describe('a ticket id', () => {
  it('has its documented form for any octets, and is another for others', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 5, maxLength: 5 }), (octets) => {
        expect(ticketId(octets)).toMatch(TICKET_ID);
      }),
    );
    expect(ticketId(new Uint8Array(5))).toBe('HP-00000000');
    expect(ticketId(new Uint8Array(5).fill(255))).toBe('HP-ZZZZZZZZ');
    expect(ticketId(Uint8Array.of(0, 0, 0, 0, 1))).toBe('HP-00000001');
  });
});

describe('the states of a ticket', () => {
  it('lead only from pending to an answer, and from approved to its use or its loss', () => {
    const steps = Object.entries(TRANSITIONS).flatMap(([from, to]) => to.map((one) => `${from} → ${one}`));
    expect(steps).toEqual([
      'pending → approved',
      'pending → denied',
      'pending → expired',
      'pending → withdrawn',
      'approved → released',
      'approved → stale',
    ]);
  });

  it('never lead back', () => {
    const reach = (state: TicketState): TicketState[] =>
      TRANSITIONS[state].flatMap((to) => [to, ...reach(to)]);
    for (const state of Object.keys(TRANSITIONS) as TicketState[]) {
      expect(reach(state)).not.toContain(state);
    }
  });
});

describe('a duration', () => {
  it.each([
    ['50s', 50_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['500ms', 500],
    ['365d', 365 * 86_400_000],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', 's', '0s', '-1s', '1.5h', '5 s', '366d', '1w', '1h 30m'])('%j is none', (text) =>
    expect(parseDuration(text)).toBeNull(),
  );
});

describe('a size', () => {
  it.each([
    ['1MiB', 1_048_576],
    ['64KiB', 65_536],
    ['512B', 512],
  ])('%s is %i octets', (text, octets) => expect(parseSize(text)).toBe(octets));

  it.each(['', '5', '1MB', '0B', '-1KiB', '1.5MiB', '99999999GiB'])('%j is none', (text) =>
    expect(parseSize(text)).toBeNull(),
  );
});
