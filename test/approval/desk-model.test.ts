/**
 * Any order of requests, answers, expiries, retries, departures and crashes, on the real store: never two releases,
 * never one without the people that the requirements ask for, and each ticket in exactly one state.
 */

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Desk } from '../../src/approval/desk.ts';
import type { Hold, TicketStore } from '../../src/core/ports.ts';
import { type Ticket, type TicketState, TRANSITIONS } from '../../src/core/ticket.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import {
  AGENT,
  deskOn,
  holdRequest,
  type ManualClock,
  type MemoryEvidence,
  MINUTE,
  manualClock,
  memoryEvidence,
  type Name,
  PEOPLE,
  says,
  scratchDirectory,
} from './desk-fixture.ts';

const REQUIREMENTS = [
  [{ groups: ['data-owners'], quorum: 1 }],
  [{ groups: ['data-owners'], quorum: 2 }],
  [
    { groups: ['data-owners'], quorum: 1 },
    { groups: ['approvers'], quorum: 2 },
  ],
] as const;
const EXPIRES = 10 * MINUTE;

/** What the test knows for itself, without asking the desk. */
interface Model {
  readonly tickets: Map<
    string,
    { state: TicketState; approvals: Set<Name>; releases: number; parked: boolean }
  >;
}

interface World {
  desk: Desk;
  readonly store: TicketStore;
  readonly clock: ManualClock;
  readonly evidence: MemoryEvidence;
  /** Each stake ever taken, and whether it may still do anything. */
  readonly stakes: { readonly hold: Hold; live: boolean }[];
  readonly asked: string;
}

type Command = fc.AsyncCommand<Model, World>;

const directory = scratchDirectory();
let store: TicketStore;
let run = 0;
/** How often what matters was reached: a model that never releases proves nothing. */
const reached = { releases: 0, crashes: 0, refusedToOwner: 0 };

beforeAll(async () => {
  store = await openSqliteStore(join(directory, 'holdpoint.db'));
});
afterAll(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the desk, whatever happens in whatever order', () => {
  it('releases once, and only what the right people approved', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(commands(), { maxCommands: 100, size: 'max' }), async (sequence) => {
        run += 1;
        const clock = manualClock();
        const evidence = memoryEvidence();
        const desk = deskOn({ store, clock, evidence }, { maxPending: 3 });
        await desk.recover();
        const world: World = { desk, store, clock, evidence, stakes: [], asked: `run ${run}` };
        await fc.asyncModelRun(() => ({ model: { tickets: new Map() }, real: world }), sequence);
        await world.desk.close();
        // What a closed desk leaves parked must not count against the next run.
        clock.advance(EXPIRES);
        for (const ticket of await store.unfinished()) {
          const to = ticket.state === 'pending' ? 'expired' : 'stale';
          await store.move(ticket.id, { from: ticket.state, to, at: clock.now(), reason: 'end of run' });
        }
      }),
      { numRuns: 100 },
    );
    expect(Math.min(...Object.values(reached)), JSON.stringify(reached)).toBeGreaterThan(20);
  });
});

/** What leads to a release comes more often than what prevents one. */
function commands(): fc.Arbitrary<Command>[] {
  const which = fc.nat({ max: 5 });
  const name = fc.constantFrom<Name>('alice', 'bob', 'carol', 'alice', 'bob', 'carol', 'dana', 'mallory');
  const submits = fc
    .tuple(fc.nat({ max: 2 }), fc.nat({ max: 1 }))
    .map(([text, terms]) => submit(text, terms));
  const approves = fc.tuple(which, name).map(([ticket, who]) => answer(ticket, who, 'approve'));
  const releases = which.map(release);
  return [
    ...[submits, submits, submits, approves, approves, approves, approves, releases, releases, releases],
    fc.tuple(which, name).map(([ticket, who]) => answer(ticket, who, 'deny')),
    fc.tuple(which, name, name).map(([ticket, one, two]) => crossing(ticket, one, two)),
    which.map((stake) => give('park', stake)),
    which.map((stake) => give('leave', stake)),
    which.map((stake) => give('stale', stake)),
    ...[which.map(approveAll), which.map(approveAll)],
    fc.constantFrom(1, MINUTE, MINUTE, EXPIRES).map(pass),
    fc.constantFrom(true, false, false, false, false, false).map(evidenceFails),
    fc.constant(crash()),
  ];
}

function command(label: string, work: (model: Model, world: World) => Promise<void>): Command {
  return {
    check: () => true,
    async run(model, world) {
      await work(model, world);
      await inspect(model, world);
    },
    toString: () => label,
  };
}

const submit = (text: number, terms: number) =>
  command(`submit ${text}/${terms}`, async (model, world) => {
    const request = holdRequest(`${world.asked}: ${text}`, {
      requirements: REQUIREMENTS[(text + terms) % REQUIREMENTS.length] ?? [],
      expiresIn: EXPIRES,
    });
    const hold = await world.desk.submit(request);
    if ('code' in hold) expect(['hold_capacity', 'evidence_unavailable']).toContain(hold.code);
    else {
      world.stakes.push({ hold, live: true });
      entry(model, hold.ticket.id);
    }
  });

const answer = (index: number, name: Name, decision: 'approve' | 'deny') =>
  command(`${name} says ${decision} to ${index}`, async (model, world) => {
    const ticket = pick(world, index)?.hold.ticket.id;
    if (ticket !== undefined) await take(model, world, ticket, name, decision);
  });

const approveAll = (index: number) =>
  command(`everybody approves ${index}`, async (model, world) => {
    const ticket = pick(world, index)?.hold.ticket.id;
    if (ticket === undefined) return;
    for (const name of Object.keys(PEOPLE) as Name[]) await take(model, world, ticket, name, 'approve');
  });

const crossing = (index: number, one: Name, two: Name) =>
  command(`${one} approves ${index} while ${two} denies it and its client leaves`, async (model, world) => {
    const stake = pick(world, index);
    if (stake === undefined) return;
    const { id } = stake.hold.ticket;
    const results = await Promise.all([
      take(model, world, id, one, 'approve'),
      take(model, world, id, two, 'deny'),
      stake.live ? stake.hold.leave('gone') : undefined,
    ]);
    stake.live = false;
    expect(results).toHaveLength(3);
  });

const release = (index: number) =>
  command(`release ${index}`, async (model, world) => {
    const stake = (await approvedStake(world)) ?? pick(world, index);
    if (stake === undefined) return;
    const { id } = stake.hold.ticket;
    // Twice at once: a stake has one release in it.
    const given = await Promise.allSettled([stake.hold.release(), stake.hold.release()]);
    const won = given.filter((result) => result.status === 'fulfilled' && result.value).length;
    if (won === 0) return;
    expect(stake.live, 'a stake that was given up released something').toBe(true);
    expect(won).toBe(1);
    stake.live = false;
    entry(model, id).releases += 1;
    reached.releases += 1;
    const { approvals, releases } = entry(model, id);
    expect(releases).toBe(1);
    expect(approvedBy(stake.hold.ticket, approvals), `released with ${[...approvals]}`).toBe(true);
    expect(world.evidence.records.at(-1)).toMatchObject({
      draft: { type: 'hold_closed', ticket: id },
      durable: true,
    });
  });

const give = (how: 'park' | 'leave' | 'stale', index: number) =>
  command(`${how} ${index}`, async (model, world) => {
    const stake = pick(world, index);
    if (!stake?.live) return;
    const { hold } = stake;
    const state = (await world.desk.get(hold.ticket.id))?.state;
    if (how === 'stale' && state !== 'approved') return;
    if (how === 'park') {
      await hold.park();
      if (state === 'pending' || state === 'approved') entry(model, hold.ticket.id).parked = true;
    } else await hold[how]('gone');
    stake.live = false;
  });

const pass = (ms: number) =>
  command(`pass ${ms} ms`, async (_, world) => {
    world.clock.advance(ms);
  });

const evidenceFails = (failing: boolean) =>
  command(`evidence ${failing ? 'fails' : 'works'}`, async (_, world) => {
    world.evidence.failing = failing;
  });

const crash = () =>
  command('crash', async (model, world) => {
    const before = await world.store.unfinished();
    world.clock.reset();
    for (const stake of world.stakes) stake.live = false;
    world.stakes.length = 0;
    world.evidence.failing = false;
    const records = world.evidence.records.length;
    reached.crashes += 1;
    world.desk = deskOn(world, { maxPending: 3 });
    await world.desk.recover();
    const released = world.evidence.records
      .slice(records)
      .filter(({ draft }) => draft.detail.state === 'released');
    expect(released).toEqual([]);
    for (const ticket of before) {
      const after = await world.desk.get(ticket.id);
      if (!entry(model, ticket.id).parked)
        expect(after?.state).toBe(ticket.state === 'pending' ? 'withdrawn' : 'stale');
    }
  });

async function take(model: Model, world: World, ticket: string, name: Name, decision: 'approve' | 'deny') {
  const result = await says(world.desk, ticket, name, decision);
  if (result.ok && decision === 'approve') entry(model, ticket).approvals.add(name);
  if (name === 'dana' || name === 'mallory') expect(result.ok).toBe(false);
  if (!result.ok && result.code === 'self_approval') reached.refusedToOwner += 1;
}

/** After each command: every ticket went a way that exists, and its answers are of people who may answer. */
async function inspect(model: Model, world: World): Promise<void> {
  // A turn of the desk’s own, so that what timers have queued is done.
  await world.desk.answer('HP-00000000', {
    person: PEOPLE.carol,
    decision: 'deny',
    reason: null,
    via: 'test',
  });
  for (const [id, known] of model.tickets) {
    const ticket = await world.desk.get(id);
    if (ticket === null) throw new Error(`${id} has vanished`);
    expect(reachable(known.state, ticket.state), `${known.state} → ${ticket.state}`).toBe(true);
    known.state = ticket.state;
    expect(ticket.closedAt === null).toBe(TRANSITIONS[ticket.state].length > 0);
    expect(ticket.answers.filter(({ person }) => person.toLowerCase() === AGENT.owner.toLowerCase())).toEqual(
      [],
    );
    if (ticket.state === 'approved' || ticket.state === 'released')
      expect(approvedBy(ticket, known.approvals)).toBe(true);
    expect(known.releases).toBe(ticket.state === 'released' ? 1 : 0);
  }
}

/** Written again here, naively, rather than borrowed from the desk. */
function approvedBy(ticket: Ticket, names: ReadonlySet<Name>): boolean {
  const people = [...names].filter((name) => name !== 'dana').map((name) => PEOPLE[name]);
  return ticket.requirements.every(
    ({ groups, quorum }) =>
      people.filter((person) => person.groups.some((group) => groups.includes(group))).length >= quorum,
  );
}

function reachable(from: TicketState, to: TicketState): boolean {
  return from === to || TRANSITIONS[from].some((next) => reachable(next, to));
}

function entry(model: Model, ticket: string) {
  const found = model.tickets.get(ticket) ?? {
    state: 'pending' as TicketState,
    approvals: new Set<Name>(),
    releases: 0,
    parked: false,
  };
  model.tickets.set(ticket, found);
  return found;
}

/** The latest stake of an approved ticket, given up or not. */
async function approvedStake(world: World) {
  for (const stake of world.stakes.toReversed())
    if ((await world.desk.get(stake.hold.ticket.id))?.state === 'approved') return stake;
  return undefined;
}

function pick(world: World, index: number) {
  return world.stakes.at(-1 - index);
}
