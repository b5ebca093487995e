/** The desk’s manners, one by one, on a real SQLite store. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TicketEvent } from '../../src/approval/doors.ts';
import { createPeople } from '../../src/approval/people.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../support/logger.ts';
import {
  AGENT,
  type Bench,
  closeBench,
  DIRECTORY,
  deskOn,
  held,
  holdRequest,
  MINUTE,
  openBench,
  PEOPLE,
  START,
  says,
} from './desk-fixture.ts';

let bench: Bench;

beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => closeBench(bench));

const state = async (id: string) => (await bench.desk.get(id))?.state;
const trail = () =>
  bench.evidence.records.map(({ draft }) => `${draft.type} ${String(draft.detail.state ?? '')}`.trim());

describe('asking', () => {
  it('holds until a person of the group approves, and then lets one action through', async () => {
    const hold = await held(bench.desk);
    expect(hold.ticket).toMatchObject({ state: 'pending', parked: false, openedAt: START, answers: [] });
    expect(hold.ticket.id).toMatch(/^HP-[0-9A-HJKMNP-TV-Z]{8}$/);
    expect(await hold.release()).toBe(false);

    expect(await says(bench.desk, hold.ticket.id, 'alice', 'approve', 'ok')).toMatchObject({ ok: true });
    expect(await hold.settled).toEqual({ state: 'approved' });
    expect(await hold.release()).toBe(true);
    expect(await hold.release()).toBe(false);
    expect(await bench.desk.get(hold.ticket.id)).toMatchObject({ state: 'released', closedAt: START });
    expect(trail()).toEqual(['hold_opened', 'approval approved', 'hold_closed released']);
  });

  it('shares one ticket among identical requests, and lets one of them through', async () => {
    const [one, two] = await Promise.all([held(bench.desk), held(bench.desk)]);
    expect(two.ticket.id).toBe(one.ticket.id);
    await says(bench.desk, one.ticket.id, 'alice', 'approve');
    expect(await Promise.all([one.settled, two.settled])).toEqual([
      { state: 'approved' },
      { state: 'approved' },
    ]);
    expect((await Promise.all([one.release(), two.release()])).sort()).toEqual([false, true]);
    const again = await held(bench.desk);
    expect(again.ticket.id).not.toBe(one.ticket.id);
  });

  it.each([
    ['another text', holdRequest('SELECT * FROM payments')],
    ['another agent', holdRequest(undefined, { agent: { ...AGENT, id: 'other-bot' } })],
    ['another owner', holdRequest(undefined, { agent: { ...AGENT, owner: 'erin@example.com' } })],
    [
      'other requirements',
      holdRequest(undefined, { requirements: [{ groups: ['data-owners'], quorum: 2 }] }),
    ],
  ])('opens a ticket of its own for %s', async (_, request) => {
    const first = await held(bench.desk);
    expect((await held(bench.desk, request)).ticket.id).not.toBe(first.ticket.id);
  });

  it('joins a ticket whose requirements say the same in another order', async () => {
    const requirements = [
      { groups: ['a', 'b'], quorum: 1 },
      { groups: ['c'], quorum: 2 },
    ];
    const turned = [
      { groups: ['c'], quorum: 2 },
      { groups: ['b', 'a'], quorum: 1 },
    ];
    const first = await held(bench.desk, holdRequest(undefined, { requirements }));
    const second = await held(bench.desk, holdRequest(undefined, { requirements: turned }));
    expect(second.ticket.id).toBe(first.ticket.id);
  });

  it('refuses one more than the agent may have pending, and counts each agent for itself', async () => {
    await closeBench(bench);
    bench = await openBench({ maxPending: 2 });
    const first = await held(bench.desk, holdRequest('one'));
    await held(bench.desk, holdRequest('two'));
    const over = holdRequest('three');
    expect(await bench.desk.submit(over)).toMatchObject({
      code: 'hold_capacity',
      retryAfter: LIMITS.capacityRetryAfter,
    });
    await held(bench.desk, holdRequest('two'));
    await held(bench.desk, { ...over, agent: { ...AGENT, id: 'other-bot' } });
    await says(bench.desk, first.ticket.id, 'alice', 'deny');
    await held(bench.desk, over);
  });

  it.each([
    ['no requirement', []],
    ['no group', [{ groups: [], quorum: 1 }]],
    ['a quorum of none', [{ groups: ['data-owners'], quorum: 0 }]],
    ['half a person', [{ groups: ['data-owners'], quorum: 0.5 }]],
  ])('refuses a hold with %s: nobody could approve it', async (_, requirements) => {
    expect(await bench.desk.submit(holdRequest(undefined, { requirements }))).toMatchObject({
      code: 'policy_malformed',
    });
  });
});

describe('answering', () => {
  it.each(['approve', 'deny'] as const)(
    'refuses the owner’s own %s, whatever groups they are in',
    async (decision) => {
      const hold = await held(bench.desk);
      const result = await says(bench.desk, hold.ticket.id, 'dana', decision);
      expect(result).toMatchObject({
        ok: false,
        code: 'self_approval',
        ticket: { state: 'pending', answers: [] },
      });
      expect(bench.evidence.records.at(-1)?.draft.detail).toMatchObject({
        person: 'dana@example.com',
        outcome: 'refused',
        refused: 'self_approval',
        state: 'pending',
      });
    },
  );

  it('refuses somebody who is in none of the groups, and takes groups from the directory alone', async () => {
    const hold = await held(bench.desk);
    const forged = { ...PEOPLE.mallory, groups: ['data-owners'] };
    for (const person of [PEOPLE.mallory, forged, { ...forged, id: 'nobody@example.com' }]) {
      const result = await bench.desk.answer(hold.ticket.id, {
        person,
        decision: 'approve',
        reason: null,
        via: 'test',
      });
      expect(result).toMatchObject({ ok: false, code: 'not_entitled' });
    }
    expect(await state(hold.ticket.id)).toBe('pending');
  });

  it('needs every requirement, each with distinct people', async () => {
    const requirements = [
      { groups: ['data-owners'], quorum: 2 },
      { groups: ['approvers'], quorum: 1 },
    ];
    const hold = await held(bench.desk, holdRequest(undefined, { requirements }));
    const id = hold.ticket.id;
    await says(bench.desk, id, 'alice', 'approve');
    await says(bench.desk, id, 'alice', 'approve');
    expect(await says(bench.desk, id, 'carol', 'approve')).toMatchObject({
      ok: true,
      ticket: { state: 'pending' },
    });
    expect(await hold.release()).toBe(false);
    expect(await says(bench.desk, id, 'bob', 'approve')).toMatchObject({
      ok: true,
      ticket: { state: 'approved' },
    });
    expect(await bench.desk.get(id)).toMatchObject({
      closedReason: 'approved by alice@example.com, carol@example.com, bob@example.com',
    });
  });

  it('denies at once when anyone entitled says no, even after others approved', async () => {
    const hold = await held(
      bench.desk,
      holdRequest(undefined, { requirements: [{ groups: ['data-owners'], quorum: 2 }] }),
    );
    await says(bench.desk, hold.ticket.id, 'alice', 'approve');
    await says(bench.desk, hold.ticket.id, 'bob', 'deny', 'ask for\nless\u001b[31m \u202e');
    expect(await hold.settled).toEqual({
      state: 'denied',
      reason: 'ask for less [31m',
      by: 'bob@example.com',
    });
    expect(await bench.desk.get(hold.ticket.id)).toMatchObject({
      state: 'denied',
      closedReason: 'denied by bob@example.com: ask for less [31m',
      answers: [{ person: 'alice@example.com' }, { person: 'bob@example.com', decision: 'deny' }],
    });
    expect(trail()).toEqual(['hold_opened', 'approval pending', 'approval denied', 'hold_closed denied']);
  });

  it('lets a reviewer change an approval into a denial while more are needed', async () => {
    const hold = await held(
      bench.desk,
      holdRequest(undefined, { requirements: [{ groups: ['data-owners'], quorum: 2 }] }),
    );
    await says(bench.desk, hold.ticket.id, 'alice', 'approve');
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'deny')).toMatchObject({
      ok: true,
      ticket: { state: 'denied' },
    });
    expect(await hold.settled).toMatchObject({ state: 'denied', reason: 'no reason was given' });
  });

  it('takes a double click as one answer', async () => {
    const hold = await held(bench.desk);
    const clicks = await Promise.all([
      says(bench.desk, hold.ticket.id, 'alice', 'approve'),
      says(bench.desk, hold.ticket.id, 'alice', 'approve'),
    ]);
    expect(clicks.map(({ ok }) => ok)).toEqual([true, true]);
    expect((await bench.desk.get(hold.ticket.id))?.answers).toHaveLength(1);
    expect(bench.evidence.records.at(-1)?.draft.detail).toMatchObject({ outcome: 'repeated' });
  });

  it('lets the first of two opposite answers stand', async () => {
    const hold = await held(bench.desk);
    const [approve, deny] = await Promise.all([
      says(bench.desk, hold.ticket.id, 'alice', 'approve'),
      says(bench.desk, hold.ticket.id, 'bob', 'deny'),
    ]);
    expect(approve.ok).toBe(true);
    expect(deny).toMatchObject({ ok: false, code: 'already_closed', ticket: { state: 'approved' } });
  });

  it('knows no ticket that is not there', async () => {
    expect(await says(bench.desk, 'HP-00000000', 'alice', 'approve')).toMatchObject({
      ok: false,
      code: 'not_found',
    });
  });

  it('bounds the reason, in characters', async () => {
    const hold = await held(bench.desk);
    const most = '😀'.repeat(LIMITS.reviewerReason);
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'deny', `${most}!`)).toMatchObject({
      code: 'bad_request',
    });
    expect(await state(hold.ticket.id)).toBe('pending');
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'deny', most)).toMatchObject({ ok: true });
  });

  it('writes an approval to disk before it has effect', async () => {
    const hold = await held(bench.desk);
    const seen: unknown[] = [];
    const append = bench.evidence.append.bind(bench.evidence);
    bench.evidence.append = async (draft, options) => {
      seen.push([draft.type, options?.durable ?? false, await state(hold.ticket.id)]);
      return append(draft, options);
    };
    await says(bench.desk, hold.ticket.id, 'alice', 'approve');
    await hold.release();
    expect(seen).toEqual([
      ['approval', true, 'pending'],
      ['hold_closed', true, 'approved'],
    ]);
  });
});

describe('time', () => {
  it('expires what nobody answers, which is not a denial', async () => {
    const hold = await held(bench.desk);
    bench.clock.advance(15 * MINUTE - 1);
    expect(await state(hold.ticket.id)).toBe('pending');
    bench.clock.advance(1);
    expect(await hold.settled).toEqual({ state: 'expired', reason: 'nobody answered in time', by: null });
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'approve')).toMatchObject({
      code: 'already_closed',
    });
  });

  it('expires by the clock even where the timer is late', async () => {
    const hold = await held(bench.desk);
    bench.clock.reset();
    bench.clock.advance(15 * MINUTE);
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'approve')).toMatchObject({
      ok: false,
      code: 'already_closed',
      ticket: { state: 'expired' },
    });
    expect(await hold.settled).toMatchObject({ state: 'expired' });
  });

  it('lets an approval that is not used in time go stale', async () => {
    const hold = await held(bench.desk);
    await says(bench.desk, hold.ticket.id, 'alice', 'approve');
    bench.clock.advance(15 * MINUTE);
    expect(await hold.release()).toBe(false);
    expect(await state(hold.ticket.id)).toBe('stale');
  });

  it('reaches an expiry beyond its longest timer', async () => {
    const expiresIn = LIMITS.deskTimerSpan * 2 + 1;
    const hold = await held(bench.desk, holdRequest(undefined, { expiresIn }));
    for (const span of [LIMITS.deskTimerSpan, LIMITS.deskTimerSpan]) {
      bench.clock.advance(span);
      expect(await hold.release()).toBe(false);
      expect(await state(hold.ticket.id)).toBe('pending');
    }
    bench.clock.advance(1);
    expect(await hold.settled).toMatchObject({ state: 'expired' });
  });
});

describe('tickets that ended', () => {
  it('are kept for their time, and forgotten on the day after', async () => {
    const day = LIMITS.deskTimerSpan;
    const hold = await held(bench.desk);
    await says(bench.desk, hold.ticket.id, 'alice', 'deny');
    const parked = await held(bench.desk, holdRequest('parked', { expiresIn: 2 * LIMITS.closedTickets }));
    await parked.park();
    const pass = async () => {
      bench.clock.advance(day);
      // What the timers have queued comes before this.
      await says(bench.desk, 'HP-00000000', 'alice', 'deny');
    };
    for (let days = LIMITS.closedTickets / day; days > 0; days -= 1) await pass();
    expect(await state(hold.ticket.id)).toBe('denied');
    await pass();
    expect(await bench.desk.get(hold.ticket.id)).toBeNull();
    expect(await state(parked.ticket.id)).toBe('pending');
  });
});

describe('clients that come and go', () => {
  it('withdraws with the last client, and refuses and records the approval that comes too late', async () => {
    const [one, two] = [await held(bench.desk), await held(bench.desk)];
    await one.leave('The client went away.');
    expect(await state(one.ticket.id)).toBe('pending');
    await two.leave('The client cancelled.');
    expect(await bench.desk.get(one.ticket.id)).toMatchObject({
      state: 'withdrawn',
      closedReason: 'The client cancelled.',
    });
    expect(await two.settled).toMatchObject({ state: 'withdrawn' });
    expect(await says(bench.desk, one.ticket.id, 'alice', 'approve')).toMatchObject({
      code: 'already_closed',
    });
    expect(bench.evidence.records.at(-1)?.draft).toMatchObject({
      type: 'approval',
      detail: { outcome: 'refused', refused: 'already_closed', state: 'withdrawn' },
    });
  });

  it('lets an approval go stale when its client left before the release', async () => {
    const hold = await held(bench.desk);
    await says(bench.desk, hold.ticket.id, 'alice', 'approve');
    await hold.leave('The client went away.');
    expect(await state(hold.ticket.id)).toBe('stale');
    expect(await hold.release()).toBe(false);
  });

  it('keeps a parked ticket without clients, and lets the retry through after approval, once', async () => {
    const first = await held(bench.desk);
    await first.park();
    expect(await bench.desk.get(first.ticket.id)).toMatchObject({ state: 'pending', parked: true });
    await says(bench.desk, first.ticket.id, 'alice', 'approve');
    expect(await first.release()).toBe(false);
    const retry = await held(bench.desk);
    expect(retry.ticket.id).toBe(first.ticket.id);
    expect(await retry.settled).toEqual({ state: 'approved' });
    expect(await retry.release()).toBe(true);
    expect((await held(bench.desk)).ticket.id).not.toBe(first.ticket.id);
  });

  it('keeps a parked ticket when a retry that joined it leaves', async () => {
    const first = await held(bench.desk);
    await first.park();
    await (await held(bench.desk)).leave('The client went away.');
    expect(await state(first.ticket.id)).toBe('pending');
  });

  it('lets a stake declare the approved action changed', async () => {
    const hold = await held(bench.desk);
    await says(bench.desk, hold.ticket.id, 'alice', 'approve');
    await hold.stale('The transaction has failed meanwhile.');
    expect(await bench.desk.get(hold.ticket.id)).toMatchObject({
      state: 'stale',
      closedReason: 'The transaction has failed meanwhile.',
    });
    expect(await hold.release()).toBe(false);
  });
});

describe('trouble', () => {
  it('approves nothing when the evidence cannot be written', async () => {
    const hold = await held(bench.desk);
    bench.evidence.failing = true;
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'approve')).toMatchObject({
      ok: false,
      code: 'evidence_unavailable',
    });
    expect(await state(hold.ticket.id)).toBe('pending');
    expect(await bench.desk.submit(holdRequest('other'))).toMatchObject({ code: 'evidence_unavailable' });
    bench.evidence.failing = false;
    await says(bench.desk, hold.ticket.id, 'alice', 'approve');
    bench.evidence.failing = true;
    await expect(hold.release()).rejects.toMatchObject({ code: 'evidence_unavailable' });
    expect(await state(hold.ticket.id)).toBe('approved');
  });

  it('treats a client that left as gone although the log failed, and closes its ticket later', async () => {
    const hold = await held(bench.desk);
    bench.evidence.failing = true;
    await hold.leave('The client went away.');
    expect(await state(hold.ticket.id)).toBe('pending');
    bench.evidence.failing = false;
    bench.clock.advance(LIMITS.deskRetry);
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'approve')).toMatchObject({
      code: 'already_closed',
      ticket: { state: 'withdrawn' },
    });
  });

  it('tells the waiting client that its time is up although the log fails', async () => {
    const hold = await held(bench.desk);
    bench.evidence.failing = true;
    bench.clock.advance(15 * MINUTE);
    expect(await hold.settled).toMatchObject({ state: 'expired' });
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'approve')).toMatchObject({
      code: 'evidence_unavailable',
    });
    bench.evidence.failing = false;
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'approve')).toMatchObject({
      code: 'already_closed',
      ticket: { state: 'expired' },
    });
  });

  it('refuses everything when the store fails', async () => {
    const hold = await held(bench.desk);
    await bench.store.close();
    expect(await bench.desk.submit(holdRequest('other'))).toMatchObject({ code: 'store_unavailable' });
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'approve')).toMatchObject({
      code: 'store_unavailable',
    });
    await expect(hold.release()).rejects.toMatchObject({ code: 'store_unavailable' });
    await hold.leave('The client went away.');
  });

  it('tells every door in order, and is not disturbed by one that throws, rejects or never ends', async () => {
    const seen: string[] = [];
    const errors: object[] = [];
    await closeBench(bench);
    bench = await openBench({ logger: { ...silentLogger, error: (fields) => void errors.push(fields) } });
    bench.desk.subscribe(() => {
      throw new Error('no');
    });
    bench.desk.subscribe(() => Promise.reject(new Error('no')));
    bench.desk.subscribe(() => new Promise(() => undefined));
    const end = bench.desk.subscribe(
      ({ type, ticket }: TicketEvent) => void seen.push(`${type} ${ticket.state}`),
    );
    const hold = await held(bench.desk);
    await says(bench.desk, hold.ticket.id, 'alice', 'deny');
    end();
    await held(bench.desk);
    expect(seen).toEqual(['opened pending', 'answered denied', 'closed denied']);
    expect(errors).toHaveLength(8);
  });
});

describe('restart', () => {
  async function restart(people = DIRECTORY): Promise<void> {
    bench.clock.reset();
    bench = { ...bench, desk: deskOn(bench, {}, people) };
  }

  it('takes nothing before it has recovered, nor once it is closed', async () => {
    await restart();
    expect(await bench.desk.submit(holdRequest())).toMatchObject({ code: 'store_unavailable' });
    await bench.desk.recover();
    const hold = await held(bench.desk);
    await bench.desk.close();
    expect(await hold.settled).toMatchObject({ state: 'withdrawn', reason: 'Holdpoint is shutting down' });
    expect(await state(hold.ticket.id)).toBe('withdrawn');
    expect(await bench.desk.submit(holdRequest())).toMatchObject({ code: 'draining' });
    expect(await says(bench.desk, hold.ticket.id, 'alice', 'approve')).toMatchObject({ code: 'draining' });
  });

  it('withdraws what a client waited for, keeps what was parked, and releases nothing', async () => {
    const waiting = await held(bench.desk, holdRequest('waiting'));
    const parked = await held(bench.desk, holdRequest('parked'));
    await parked.park();
    const overdue = await held(bench.desk, holdRequest('overdue', { expiresIn: MINUTE }));
    await overdue.park();
    const approved = await held(bench.desk, holdRequest('approved'));
    await says(bench.desk, approved.ticket.id, 'alice', 'approve');
    const both = await held(bench.desk, holdRequest('both'));
    await both.park();
    await says(bench.desk, both.ticket.id, 'alice', 'approve');

    await restart();
    bench.clock.advance(2 * MINUTE);
    const closed: string[] = [];
    bench.desk.subscribe(
      ({ type, ticket }) => void closed.push(`${type} ${ticket.display.text} ${ticket.state}`),
    );
    await bench.desk.recover();
    expect(await bench.desk.get(waiting.ticket.id)).toMatchObject({
      state: 'withdrawn',
      closedReason: 'Holdpoint restarted while the client was waiting',
    });
    expect(await bench.desk.get(approved.ticket.id)).toMatchObject({
      state: 'stale',
      closedReason: 'Holdpoint restarted before the approved request was released',
    });
    expect(closed).toEqual(['closed waiting withdrawn', 'closed overdue expired', 'closed approved stale']);
    expect(await state(parked.ticket.id)).toBe('pending');
    expect(await (await held(bench.desk, holdRequest('both'))).release()).toBe(true);

    bench.clock.advance(13 * MINUTE);
    expect(await says(bench.desk, parked.ticket.id, 'alice', 'approve')).toMatchObject({
      ticket: { state: 'expired' },
    });
  });

  it('does not release for people who may not approve any more', async () => {
    const hold = await held(bench.desk);
    await hold.park();
    await says(bench.desk, hold.ticket.id, 'alice', 'approve');
    await restart(createPeople([{ ...PEOPLE.alice, groups: [] }, PEOPLE.bob], []));
    await bench.desk.recover();
    const retry = await held(bench.desk);
    expect(retry.ticket.id).toBe(hold.ticket.id);
    expect(await retry.release()).toBe(false);
    expect(await state(hold.ticket.id)).toBe('stale');
  });

  it('remembers what a door left with a ticket', async () => {
    const hold = await held(bench.desk);
    await bench.desk.remember(hold.ticket.id, 'slack', { channel: 'C1', ts: '1.1' });
    await bench.desk.remember(hold.ticket.id, 'slack', { channel: 'C1', ts: '2.2' });
    await restart();
    expect(await bench.desk.recall(hold.ticket.id, 'slack')).toEqual({ channel: 'C1', ts: '2.2' });
    expect(await bench.desk.recall(hold.ticket.id, 'teams')).toBeNull();
  });
});
