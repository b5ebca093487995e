/**
 * Owns what tests of the desk stand on: a clock that only moves when told, evidence kept in memory (and refused when
 * told), a real SQLite file, some people and one agent.
 */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDesk, type Desk } from '../../src/approval/desk.ts';
import type { Person } from '../../src/approval/doors.ts';
import { createPeople, tokenHash } from '../../src/approval/people.ts';
import { Fault } from '../../src/core/errors.ts';
import { digestOf } from '../../src/core/fingerprint.ts';
import type {
  Clock,
  EvidenceLog,
  Hold,
  HoldRequest,
  Ids,
  Logger,
  TicketStore,
} from '../../src/core/ports.ts';
import type { RecordDraft } from '../../src/core/record.ts';
import { ticketId } from '../../src/core/ticket.ts';
import { openSqliteStore } from '../../src/store/sqlite.ts';
import { handClock } from '../support/clock.ts';
import { silentLogger } from '../support/logger.ts';

export const MINUTE = 60_000;
/** In memory where the machine offers it: these tests wait for the disk a thousand times over. */
const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export function scratchDirectory(): string {
  return mkdtempSync(join(SCRATCH, 'holdpoint-desk-'));
}

export const START = Date.parse('2026-11-23T09:00:00Z');

export interface ManualClock extends Clock {
  /** Moves time on, firing what falls due. */
  advance(ms: number): void;
  /** Forgets every timer: the process is gone. */
  reset(): void;
}

export function manualClock(): ManualClock {
  const clock = handClock(START);
  let process = {};
  return {
    now: clock.now,
    advance: clock.advance,
    after(ms, callback) {
      const mine = process;
      return clock.after(ms, () => {
        if (mine === process) callback();
      });
    },
    reset() {
      process = {};
    },
  };
}

export interface MemoryEvidence extends EvidenceLog {
  readonly records: { readonly draft: RecordDraft; readonly durable: boolean }[];
  failing: boolean;
}

export function memoryEvidence(): MemoryEvidence {
  const evidence: MemoryEvidence = {
    records: [],
    failing: false,
    async append(draft, options) {
      await Promise.resolve();
      if (evidence.failing) throw new Fault('evidence_unavailable', 'the audit log cannot be written');
      evidence.records.push({ draft, durable: options?.durable ?? false });
      return { seq: evidence.records.length - 1 };
    },
  };
  return evidence;
}

/** Dana owns the agent, and is in every group that could approve. */
export const PEOPLE = {
  dana: person('dana@example.com', 'U0DANA', ['approvers', 'data-owners', 'admins']),
  alice: person('alice@example.com', 'U0ALICE', ['data-owners']),
  bob: person('bob@example.com', 'U0BOB', ['data-owners', 'approvers']),
  carol: person('carol@example.com', null, ['approvers']),
  mallory: person('mallory@example.com', 'U0MALLORY', ['gardeners']),
} satisfies Record<string, Person>;

export type Name = keyof typeof PEOPLE;

export const TOKENS = Object.fromEntries(Object.keys(PEOPLE).map((name) => [name, `token-of-${name}`]));

export const DIRECTORY = createPeople(
  Object.values(PEOPLE),
  Object.entries(PEOPLE).map(([name, { id }]) => ({ person: id, sha256: tokenHash(`token-of-${name}`) })),
);

export const AGENT = {
  id: 'billing-bot',
  owner: 'Dana@Example.com',
  environment: 'production',
  purpose: 'nightly reconciliation',
  labels: {},
};

export function holdRequest(text = 'SELECT * FROM customers', more: Partial<HoldRequest> = {}): HoldRequest {
  return {
    decision: 'dec-1',
    agent: AGENT,
    kind: 'postgres',
    fingerprint: { exact: digestOf('test', [text]), shape: 'shape' },
    display: { title: 'SELECT reading customers', text, fields: [{ name: 'database', value: 'app' }] },
    rules: [
      { id: 'postgres.bulk_export', reason: 'reads all of customers', severity: 'high', controls: ['CC6.1'] },
    ],
    requirements: [{ groups: ['data-owners'], quorum: 1 }],
    message: 'Reading all of customers needs an approval.',
    revision: 'rev-1',
    expiresIn: 15 * MINUTE,
    ...more,
  };
}

export interface Bench {
  readonly desk: Desk;
  readonly store: TicketStore;
  readonly clock: ManualClock;
  readonly evidence: MemoryEvidence;
  readonly directory: string;
}

export interface BenchOptions {
  readonly maxPending?: number;
  readonly logger?: Logger;
}

/** A desk on a real store in a fresh directory, recovered and open. */
export async function openBench(options: BenchOptions = {}): Promise<Bench> {
  const directory = scratchDirectory();
  const store = await openSqliteStore(join(directory, 'holdpoint.db'));
  const clock = manualClock();
  const evidence = memoryEvidence();
  const desk = deskOn({ store, clock, evidence }, options);
  await desk.recover();
  return { desk, store, clock, evidence, directory };
}

export function deskOn(
  parts: Pick<Bench, 'store' | 'clock' | 'evidence'>,
  options: BenchOptions = {},
  people = DIRECTORY,
): Desk {
  return createDesk({
    ...parts,
    ids: randomIds(),
    people,
    logger: options.logger ?? silentLogger,
    maxPending: options.maxPending ?? 100,
  });
}

export function randomIds(): Pick<Ids, 'ticket'> {
  return { ticket: () => ticketId(crypto.getRandomValues(new Uint8Array(5))) };
}

export async function closeBench({ desk, store, directory }: Bench): Promise<void> {
  await desk.close();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
}

/** Submits, and expects a hold. */
export async function held(desk: Desk, request: HoldRequest = holdRequest()): Promise<Hold> {
  const hold = await desk.submit(request);
  if ('code' in hold) throw new Error(`refused: ${hold.code} ${hold.reason}`);
  return hold;
}

export function says(desk: Desk, ticket: string, name: Name, decision: 'approve' | 'deny', reason?: string) {
  return desk.answer(ticket, { person: PEOPLE[name], decision, reason: reason ?? null, via: 'test' });
}

function person(id: string, slack: string | null, groups: string[]): Person {
  return { id, slack, groups };
}
