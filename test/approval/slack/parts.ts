/** The Slack door on a real desk and a real store, against the Slack stand-in. */

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDesk, type Desk } from '../../../src/approval/desk.ts';
import { createPeople } from '../../../src/approval/people.ts';
import { createSlackDoor, type SlackDoor } from '../../../src/approval/slack/door.ts';
import type { SlackSettings } from '../../../src/approval/slack/settings.ts';
import type { Clock, Hold, HoldRequest, Logger } from '../../../src/core/ports.ts';
import type { RecordDraft } from '../../../src/core/record.ts';
import { ticketId } from '../../../src/core/ticket.ts';
import { openSqliteStore } from '../../../src/store/sqlite.ts';
import {
  type SlackStandIn,
  type SlackStandInOptions,
  startSlackStandIn,
} from '../../stand-ins/slack/stand-in.ts';

export const ALICE = 'U0ALICE';
export const BOB = 'U0BOB';
export const OWNER = 'U0DANA';
/** In the list of people, but a bot, a guest, deactivated or another workspace's in Slack. */
export const BOT = 'U0ROBOT';
export const GUEST = 'U0GUEST';
export const GONE = 'U0GONE';
export const STRANGER = 'U0STRANGER';

const USERS: SlackStandInOptions['users'] = [
  { id: ALICE, name: 'alice' },
  { id: BOB, name: 'bob' },
  { id: OWNER, name: 'dana' },
  { id: BOT, name: 'robot', bot: true },
  { id: GUEST, name: 'guest', guest: true },
  { id: GONE, name: 'gone', deleted: true },
  { id: STRANGER, name: 'alice', email: 'alice@example.com' },
];

const groups = ['data-owners'];
const PEOPLE = createPeople(
  [
    { id: 'alice@example.com', slack: ALICE, groups },
    { id: 'bob@example.com', slack: BOB, groups },
    { id: 'dana@example.com', slack: OWNER, groups },
    { id: 'robot@example.com', slack: BOT, groups },
    { id: 'guest@example.com', slack: GUEST, groups },
    { id: 'gone@example.com', slack: GONE, groups },
  ],
  [],
);

export interface LogLine {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

export interface Parts {
  readonly slack: SlackStandIn;
  readonly desk: Desk;
  readonly door: SlackDoor;
  readonly settings: SlackSettings;
  readonly log: readonly LogLine[];
  hold(more?: Partial<HoldRequest>): Promise<Hold>;
  /** Ends desk and door, and starts others on the same store, as after a crash. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface PartsOptions extends SlackStandInOptions {
  readonly channel?: string;
  /** How much faster than time itself the door's timers are: 20. */
  readonly speed?: number;
  /** Called before the door starts: to have Slack out of order from the beginning. */
  readonly before?: (slack: SlackStandIn) => void;
}

export async function startParts(mode: 'socket' | 'http', options: PartsOptions = {}): Promise<Parts> {
  const directory = await mkdtemp(join(tmpdir(), 'holdpoint-slack-'));
  const slack = await startSlackStandIn({ users: USERS ?? [], ...options });
  options.before?.(slack);
  const clock = fastClock(options.speed ?? 20);
  const log: LogLine[] = [];
  const logger = collectingLogger(log);
  const settings = settingsFor(mode, slack, options.channel ?? '#approvals');
  const opened = await openAll();

  async function openAll() {
    const store = await openSqliteStore(join(directory, 'store.db'));
    let seq = 0;
    const desk = createDesk({
      store,
      evidence: { append: async (_record: RecordDraft) => ({ seq: seq++ }) },
      clock,
      ids: { ticket: () => ticketId(randomBytes(5)) },
      people: PEOPLE,
      logger,
      maxPending: 100,
    });
    const door = createSlackDoor({ settings, doors: desk, people: PEOPLE, clock, logger });
    slack.requestUrl = await door.start();
    await desk.recover();
    return { store, desk, door };
  }

  return {
    slack,
    settings,
    log,
    get desk() {
      return opened.desk;
    },
    get door() {
      return opened.door;
    },
    async hold(more) {
      const hold = await opened.desk.submit(request(more));
      if ('code' in hold) throw new Error(hold.reason);
      return hold;
    },
    async restart() {
      await opened.door.stop();
      await opened.store.close();
      Object.assign(opened, await openAll());
    },
    async stop() {
      await opened.door.stop();
      await opened.desk.close();
      await opened.store.close();
      await slack.stop();
      await rm(directory, { recursive: true });
    },
  };
}

export function settingsFor(mode: 'socket' | 'http', slack: SlackStandIn, channel: string): SlackSettings {
  const common = { bot_token: slack.botToken, channel, api_url: slack.apiUrl };
  return mode === 'socket'
    ? { mode, app_token: slack.appToken, ...common }
    : { mode, signing_secret: slack.signingSecret, listen: { host: '127.0.0.1', port: 0 }, ...common };
}

let requests = 0;

export function request(more: Partial<HoldRequest> = {}): HoldRequest {
  requests += 1;
  return {
    decision: `d${requests}`,
    agent: {
      id: 'billing-bot',
      owner: 'dana@example.com',
      environment: 'production',
      purpose: 'nightly reconciliation',
      labels: {},
    },
    kind: 'postgres',
    fingerprint: { exact: requests.toString(16).padStart(64, '0'), shape: 'shape' },
    display: {
      title: 'SELECT reading customers',
      text: 'SELECT * FROM customers',
      fields: [{ name: 'Database', value: 'app' }],
    },
    rules: [
      { id: 'postgres.bulk_export', reason: 'reads all of customers', severity: 'high', controls: ['CC6.1'] },
    ],
    requirements: [{ groups, quorum: 1 }],
    message: 'held: reads all of customers',
    revision: 'r1',
    expiresIn: 3_600_000,
    ...more,
  };
}

/** Time itself, but `speed` times as fast: what waits 500 ms waits 25. */
export function fastClock(speed: number): Clock {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * speed,
    after(ms, callback) {
      const timer = setTimeout(callback, ms / speed).unref();
      return () => clearTimeout(timer);
    },
  };
}

function collectingLogger(lines: LogLine[]): Logger {
  const at = (level: string) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
