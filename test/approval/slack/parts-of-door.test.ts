import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { DeskDoors } from '../../../src/approval/doors.ts';
import { createAccounts } from '../../../src/approval/slack/accounts.ts';
import { boltLogger, scrub } from '../../../src/approval/slack/bolt-logger.ts';
import { readClick } from '../../../src/approval/slack/click.ts';
import { createOutbox } from '../../../src/approval/slack/outbox.ts';
import { behind } from '../../../src/approval/slack/recovery.ts';
import { retryDelay } from '../../../src/approval/slack/retry.ts';
import { troubleOf } from '../../../src/approval/slack/trouble.ts';
import { type Account, webOptions } from '../../../src/approval/slack/web.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { Logger } from '../../../src/core/ports.ts';
import { handClock } from '../../support/clock.ts';
import { ticketOf } from '../ticket.ts';

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('Bolt’s log', () => {
  it('loses tokens, tickets and payloads on the way to ours', () => {
    const lines: string[] = [];
    const at = (_fields: object, message: string) => void lines.push(message);
    const logger = boltLogger({ debug: at, info: at, warn: at, error: at }, ['s3cret']);
    logger.debug('Received a message on the WebSocket: {"payload":{}}');
    logger.info('using xoxb-1-2-abc and xapp-1-A0-xyz');
    logger.warn(
      'wss://wss-primary.slack.com/link/?ticket=abc-def&app_id=A0',
      new Error('signed with s3cret'),
    );
    logger.error({ headers: { authorization: 'Bearer s3cret' } });
    expect(lines).toEqual([
      'using [secret] and [secret]',
      'wss://wss-primary.slack.com/link/?ticket=[secret]&app_id=A0 signed with [secret]',
      'object',
    ]);
  });

  it('keeps what is no secret', () => {
    expect(scrub('channel_not_found in C0APPROVALS', [''])).toBe('channel_not_found in C0APPROVALS');
  });
});

describe('trouble with Slack', () => {
  it.each([
    [
      { code: 'slack_webapi_rate_limited_error', retryAfter: 7 },
      { kind: 'limited', afterMs: 7_000 },
    ],
    [
      { code: 'slack_webapi_rate_limited_error', retryAfter: 0 },
      { kind: 'limited', afterMs: 1_000 },
    ],
    [
      { code: 'slack_webapi_platform_error', data: { error: 'not_in_channel' } },
      { kind: 'refused', error: 'not_in_channel' },
    ],
    [{ code: 'slack_webapi_platform_error', data: { error: 'internal_error' } }, { kind: 'unreachable' }],
    [{ code: 'slack_webapi_platform_error', data: { error: '<html>' } }, { kind: 'unreachable' }],
    [
      { code: 'slack_webapi_http_error', statusCode: 502 },
      { kind: 'unreachable', detail: 'Slack answered HTTP 502' },
    ],
    [{ code: 'slack_webapi_request_error' }, { kind: 'unreachable' }],
  ])('%j is sorted', (fields, trouble) => {
    expect(troubleOf(Object.assign(new Error('x'), fields))).toMatchObject(trouble);
  });

  it('is waited out longer each time, up to a bound', () => {
    expect([1, 2, 3].map(retryDelay)).toEqual([500, 1_000, 2_000]);
    expect(retryDelay(7)).toBe(32_000);
    expect(retryDelay(8)).toBe(LIMITS.slackRetryLast);
    expect(retryDelay(1_000)).toBe(LIMITS.slackRetryLast);
  });
});

describe('a call of the Web API', () => {
  it('is made once, within its bound: when to call again is the outbox’s', () => {
    const options = webOptions(undefined, boltLogger(quiet, []));
    expect(options).toMatchObject({
      timeout: LIMITS.slackCall,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
    });
    expect(options).not.toHaveProperty('slackApiUrl');
    expect(webOptions('http://127.0.0.1:1/api/', boltLogger(quiet, []))).toMatchObject({
      slackApiUrl: 'http://127.0.0.1:1/api/',
    });
  });
});

describe('the outbox', () => {
  const away = () => Object.assign(new Error('no'), { code: 'slack_webapi_request_error' });

  it('works one after another, in order, and once for what becomes due twice', async () => {
    const shown: string[] = [];
    let release = (): void => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const outbox = createOutbox({
      show: async (id) => {
        shown.push(id);
        if (id === 'a' && shown.length === 1) await first;
      },
      clock: handClock(),
      logger: quiet,
    });
    for (const id of ['a', 'b', 'c', 'b', 'a']) outbox.refresh(id);
    expect(shown).toEqual(['a']);
    release();
    await settled();
    // What became due while it was being shown is shown again.
    expect(shown).toEqual(['a', 'b', 'c', 'a']);
  });

  it('waits longer with each failure, and drops nothing', async () => {
    const clock = handClock();
    let up = false;
    const shown: string[] = [];
    let attempts = 0;
    const outbox = createOutbox({
      show: async (id) => {
        attempts += 1;
        if (!up) throw away();
        shown.push(id);
      },
      clock,
      logger: quiet,
    });
    outbox.refresh('a');
    outbox.refresh('b');
    await settled();
    expect(attempts).toBe(1);
    clock.advance(LIMITS.slackRetryFirst - 1);
    await settled();
    expect(attempts).toBe(1);
    clock.advance(1);
    await settled();
    expect(attempts).toBe(2);
    up = true;
    clock.advance(LIMITS.slackRetryFirst * 2);
    await settled();
    expect(shown.sort()).toEqual(['a', 'b']);
  });

  it('does not hold up a stop for longer than its bound, nor at all while Slack is away', async () => {
    const clock = handClock();
    const stuck = createOutbox({ show: () => new Promise(() => {}), clock, logger: quiet });
    stuck.refresh('a');
    let stopped = false;
    const stopping = stuck.stop().then(() => {
      stopped = true;
    });
    clock.advance(LIMITS.slackFlush - 1);
    await settled();
    expect(stopped).toBe(false);
    clock.advance(1);
    await stopping;

    const absent = createOutbox({ show: () => Promise.reject(away()), clock, logger: quiet });
    absent.refresh('a');
    await settled();
    await absent.stop();
    absent.refresh('b');
    clock.advance(LIMITS.slackRetryLast);
    await settled();
    expect(clock.timers).toBe(0);
  });
});

describe('after a restart', () => {
  function doorsWith(tickets: number, remembered: (id: string) => string | null): DeskDoors {
    const all = Array.from({ length: tickets }, (_, index) =>
      ticketOf({ id: `HP-${index}`, state: 'denied' }),
    );
    return {
      async list({ states, cursor }) {
        const from = Number(cursor ?? 0);
        const page = states?.includes('denied') ? all.slice(from, from + LIMITS.controlPage) : [];
        const next = from + LIMITS.controlPage < all.length ? String(from + LIMITS.controlPage) : null;
        return { tickets: page, next: states?.includes('denied') ? next : null };
      },
      get: async () => null,
      answer: async () => ({ ok: false, code: 'not_found', reason: '', ticket: null }),
      subscribe: () => () => {},
      remember: async () => {},
      recall: async (id) => {
        const version = remembered(id);
        return version === null ? null : { channel: 'C', ts: id, version };
      },
    };
  }

  it('looks at so many closed tickets, newest first, and no more', async () => {
    const stale = () => 'pending/0';
    expect(await behind(doorsWith(LIMITS.slackRecovery, stale))).toHaveLength(LIMITS.slackRecovery);
    const found = await behind(doorsWith(LIMITS.slackRecovery + 1, stale));
    expect(found).toHaveLength(LIMITS.slackRecovery);
    expect(found[0]).toBe('HP-0');
  });

  it('leaves alone what is shown as it is, and what never had a card', async () => {
    expect(await behind(doorsWith(3, () => 'denied/0'))).toEqual([]);
    expect(await behind(doorsWith(3, () => null))).toEqual([]);
  });
});

describe('accounts', () => {
  const member: Account = { standing: 'member' };

  it('are asked for again once what is known is old', async () => {
    const clock = handClock();
    let asked = 0;
    const web = {
      identify: async () => ({ team: 'T', user: 'U' }),
      account: async () => {
        asked += 1;
        return member;
      },
    };
    const accounts = createAccounts(web, clock);
    await accounts.account('U1', 'T');
    clock.advance(LIMITS.slackAccountAge - 1);
    await accounts.account('U1', 'T');
    expect(asked).toBe(1);
    clock.advance(1);
    await accounts.account('U1', 'T');
    expect(asked).toBe(2);
  });

  it('are forgotten, oldest first, past their bound', async () => {
    const asked: string[] = [];
    const web = {
      identify: async () => ({ team: 'T', user: 'U' }),
      account: async (user: string) => {
        asked.push(user);
        return member;
      },
    };
    const accounts = createAccounts(web, handClock());
    for (let user = 0; user <= LIMITS.slackAccounts; user += 1) await accounts.account(`U${user}`, 'T');
    await accounts.account('U1', 'T');
    await accounts.account('U0', 'T');
    expect(asked).toHaveLength(LIMITS.slackAccounts + 2);
  });

  it('a failure to learn who we are is not remembered', async () => {
    let up = false;
    const identify = async () => {
      if (!up) throw new Error('away');
      return { team: 'T', user: 'U' };
    };
    const accounts = createAccounts({ identify, account: async () => member }, handClock());
    await expect(accounts.identity()).rejects.toThrow('away');
    up = true;
    expect(await accounts.identity()).toEqual({ team: 'T', user: 'U' });
  });
});

describe('a click', () => {
  const good = {
    type: 'block_actions',
    user: { id: 'U1', team_id: 'T1' },
    team: { id: 'T1' },
    container: { message_ts: '1.1', channel_id: 'C1' },
    actions: [
      { action_id: 'holdpoint.approve', value: JSON.stringify({ ticket: 'HP-7K3MQ9ZT', digest: 'ab' }) },
    ],
  };

  it('is read', () => {
    expect(readClick(good)).toEqual({
      user: 'U1',
      teams: ['T1', 'T1'],
      place: { channel: 'C1', ts: '1.1' },
      decision: 'approve',
      value: { ticket: 'HP-7K3MQ9ZT', digest: 'ab' },
    });
  });

  it.each([
    null,
    [],
    'x',
    {},
    { ...good, type: 'view_submission' },
    { ...good, user: null },
    { ...good, user: { id: 7 } },
    { ...good, container: {} },
    { ...good, actions: [] },
    { ...good, actions: [...good.actions, ...good.actions] },
    { ...good, actions: [{ ...good.actions[0], action_id: 'other' }] },
    { ...good, actions: [{ ...good.actions[0], value: '{"ticket":"HP-7K3MQ9ZT"}' }] },
    { ...good, actions: [{ ...good.actions[0], value: '{"ticket":"DROP","digest":"ab"}' }] },
  ])('is not read from %j', (body) => {
    expect(readClick(body)).toBeNull();
  });
});

describe('the manifest in deploy/slack', () => {
  it('asks for the scopes that the door uses, and no more', async () => {
    const manifest = parse(
      await readFile(new URL('../../../deploy/slack/manifest.yaml', import.meta.url), 'utf8'),
    );
    expect(manifest.oauth_config.scopes).toEqual({ bot: ['chat:write', 'users:read'] });
    expect(manifest.settings).toMatchObject({
      socket_mode_enabled: true,
      interactivity: { is_enabled: true },
    });
  });
});
