import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { createSlackDoor } from '../../../src/approval/slack/door.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { SlackMessage } from '../../stand-ins/slack/workspace.ts';
import {
  ALICE,
  BOB,
  BOT,
  fastClock,
  GONE,
  GUEST,
  OWNER,
  type Parts,
  type PartsOptions,
  STRANGER,
  settingsFor,
  startParts,
} from './parts.ts';

const opened: Parts[] = [];

async function parts(mode: 'socket' | 'http', options?: PartsOptions): Promise<Parts> {
  const all = await startParts(mode, options);
  opened.push(all);
  return all;
}

afterEach(async () => {
  for (const each of opened.splice(0)) {
    await each.stop();
    expect(each.slack.faults()).toEqual([]);
    const written = JSON.stringify(each.log);
    for (const secret of [each.slack.botToken, each.slack.appToken, each.slack.signingSecret])
      expect(written).not.toContain(secret);
  }
});

const about = (ticket: string) => (message: SlackMessage) => JSON.stringify(message.blocks).includes(ticket);
const hasButtons = ({ blocks }: SlackMessage) => blocks.some(({ type }) => type === 'actions');

/** A held request and its card, with the door ready for clicks. */
async function held(all: Parts, mode: 'socket' | 'http', more?: Parameters<Parts['hold']>[0]) {
  if (mode === 'socket') await all.slack.waitForConnections(1);
  const hold = await all.hold(more);
  const card = await all.slack.waitForMessage(about(hold.ticket.id));
  const shows = (headline: string) =>
    all.slack.waitForMessage((message) => message.ts === card.ts && message.text.startsWith(headline));
  return { hold, card, shows };
}

describe.each(['socket', 'http'] as const)('the Slack door, mode %s', (mode) => {
  it('posts a card, refuses the owner, and takes a reviewer’s approval', async () => {
    const all = await parts(mode);
    const { hold, card, shows } = await held(all, mode);
    expect(JSON.stringify(card.blocks)).toContain('SELECT * FROM customers');
    expect(JSON.stringify(card.blocks)).toContain(hold.ticket.fingerprint.exact);

    await all.slack.click({ user: OWNER, action: 'Approve', message: card });
    const { text } = await all.slack.waitForEphemeral(({ user }) => user === OWNER);
    expect(text).toContain('nobody answers their own request');
    expect((await all.desk.get(hold.ticket.id))?.state).toBe('pending');

    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
    expect((await all.desk.get(hold.ticket.id))?.answers).toMatchObject([
      { person: 'alice@example.com', decision: 'approve', via: 'slack', reason: null },
    ]);
    const approved = await shows('Approved (');
    expect(hasButtons(approved)).toBe(false);
    expect(JSON.stringify(approved.blocks)).toContain('Approved by alice@example.com in Slack.');

    expect(await hold.release()).toBe(true);
    await shows('Approved and released');
    expect(all.slack.messages()).toHaveLength(1);
  });

  it('takes a denial, and says who denied', async () => {
    const all = await parts(mode);
    const { hold, card, shows } = await held(all, mode);
    await all.slack.click({ user: ALICE, action: 'Deny', message: card });
    expect(await hold.settled).toMatchObject({ state: 'denied', by: 'alice@example.com' });
    const denied = await shows('Denied');
    expect(JSON.stringify(denied.blocks)).toContain('Denied by alice@example.com in Slack. Nothing ran.');
    expect(hasButtons(denied)).toBe(false);
  });

  it('counts a double click once, and shows what is missing for a quorum', async () => {
    const all = await parts(mode);
    const { hold, card, shows } = await held(all, mode, {
      requirements: [{ groups: ['data-owners'], quorum: 2 }],
    });
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    const half = await all.slack.waitForMessage(({ edits }) => edits > 0);
    expect(hasButtons(half)).toBe(true);
    expect(JSON.stringify(half.blocks)).toContain('Approved by alice@example.com in Slack');
    expect(all.slack.ephemerals()).toEqual([]);
    await all.slack.click({ user: BOB, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
    await shows('Approved (');
  });

  it.each([
    ['a stranger who has a reviewer’s name and e-mail address', STRANGER, 'Slack user id (U0STRANGER)'],
    ['a bot', BOT, 'a bot'],
    ['a guest', GUEST, 'a guest'],
  ])('refuses %s', async (_who, user, why) => {
    const all = await parts(mode);
    const { hold, card } = await held(all, mode);
    await all.slack.click({ user, action: 'Approve', message: card });
    const refusal = await all.slack.waitForEphemeral((ephemeral) => ephemeral.user === user);
    expect(refusal.text).toContain('Your answer does not count');
    expect(refusal.text).toContain(why);
    expect((await all.desk.get(hold.ticket.id))?.state).toBe('pending');
    expect((await all.desk.get(hold.ticket.id))?.answers).toEqual([]);
  });

  it('refuses a deactivated account', async () => {
    const all = await parts(mode);
    const { hold, card } = await held(all, mode);
    await all.slack.click({ user: GONE, action: 'Approve', message: card });
    // Slack has nobody to tell.
    await all.slack.waitForCall(({ method, error }) => method === 'chat.postEphemeral' && error !== null);
    expect((await all.desk.get(hold.ticket.id))?.answers).toEqual([]);
  });

  it.each([
    ['from another workspace', { team: 'T0OTHER' }],
    [
      'of a user of another workspace in a shared channel',
      { user: { id: ALICE, name: 'alice', team: 'T0OTHER' } },
    ],
  ])('refuses a click %s', async (_case, forged) => {
    const all = await parts(mode);
    const { hold, card } = await held(all, mode);
    await all.slack.click({ user: ALICE, action: 'Approve', message: card, ...forged });
    const refusal = await all.slack.waitForEphemeral(({ user }) => user === ALICE);
    expect(refusal.text).toContain('another workspace');
    expect((await all.desk.get(hold.ticket.id))?.answers).toEqual([]);
  });

  it('refuses an edited button: another digest, another ticket’s digest, a ticket that is not there', async () => {
    const all = await parts(mode);
    const { hold, card } = await held(all, mode);
    const other = await all.hold();
    const values = [
      { ticket: hold.ticket.id, digest: 'f'.repeat(64) },
      { ticket: other.ticket.id, digest: hold.ticket.fingerprint.exact },
      { ticket: 'HP-00000000', digest: hold.ticket.fingerprint.exact },
    ];
    for (const value of values)
      await all.slack.click({ user: ALICE, action: 'Approve', message: card, value: JSON.stringify(value) });
    for (const why of [
      `not about what ${hold.ticket.id} holds`,
      `not about what ${other.ticket.id} holds`,
      'there is no such ticket',
    ])
      await all.slack.waitForEphemeral(({ text }) => text.includes(why));
    for (const { ticket } of [hold, other]) expect((await all.desk.get(ticket.id))?.answers).toEqual([]);
  });

  it('drops a button whose value is not ours', async () => {
    const all = await parts(mode);
    const { hold, card } = await held(all, mode);
    for (const value of ['', 'x', 'null', '[]', '{"ticket":1}', '{"ticket":"HP-1","digest":"x"}'])
      await all.slack.click({ user: ALICE, action: 'Approve', message: card, value });
    expect(all.log.filter(({ message }) => message === 'a click without a ticket was dropped')).toHaveLength(
      6,
    );
    expect((await all.desk.get(hold.ticket.id))?.answers).toEqual([]);
  });

  it('shows a withdrawal and an expiry, and refuses a click that comes after', async () => {
    const all = await parts(mode);
    const { hold, card, shows } = await held(all, mode);
    await hold.leave('the client disconnected');
    const withdrawn = await shows('Withdrawn');
    expect(hasButtons(withdrawn)).toBe(false);
    expect(JSON.stringify(withdrawn.blocks)).toContain('the client disconnected');
    // The reviewer’s Slack had not yet caught up.
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    const refusal = await all.slack.waitForEphemeral(({ user }) => user === ALICE);
    expect(refusal.text).toContain(`${hold.ticket.id} is withdrawn`);

    const short = await held(all, mode, { expiresIn: 4_000 });
    await short.shows('Expired unanswered');
    expect(await short.hold.settled).toMatchObject({ state: 'expired' });
  });

  it('shows what another door decided, with its reason', async () => {
    const all = await parts(mode);
    const { hold, shows } = await held(all, mode);
    const person = { id: 'bob@example.com', slack: BOB, groups: ['data-owners'] };
    await all.desk.answer(hold.ticket.id, {
      person,
      decision: 'deny',
      reason: '*too* <!channel> much',
      via: 'api',
    });
    const denied = await shows('Denied');
    expect(JSON.stringify(denied.blocks)).toContain('Denied by bob@example.com over the API: ');
  });

  it('shows an approval that no longer fits', async () => {
    const all = await parts(mode);
    const { hold, card, shows } = await held(all, mode);
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    await hold.settled;
    await hold.stale('the policy denies it now');
    const stale = await shows('Approval no longer fits');
    expect(JSON.stringify(stale.blocks)).toContain('the policy denies it now.');
  });

  it('starts while Slack is away, and posts once it is back', async () => {
    const all = await parts(mode, { before: (slack) => slack.outage('reset') });
    const hold = await all.hold();
    await all.slack.waitForCall(({ method, error }) => method === 'chat.postMessage' && error === 'reset');
    expect((await all.desk.get(hold.ticket.id))?.state).toBe('pending');
    all.slack.outage(null);
    const card = await all.slack.waitForMessage(about(hold.ticket.id));
    if (mode === 'socket') await all.slack.waitForConnections(1);
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
  });

  it('lives through an outage: cards are posted and updated after it, in order, once each', async () => {
    const all = await parts(mode);
    const { hold, card, shows } = await held(all, mode);
    all.slack.outage('error');
    const person = { id: 'bob@example.com', slack: BOB, groups: ['data-owners'] };
    await all.desk.answer(hold.ticket.id, { person, decision: 'approve', reason: null, via: 'cli' });
    const second = await all.hold();
    const third = await all.hold();
    await third.leave('gone');
    await all.slack.waitForCall(({ error }) => error === 'http_503');
    all.slack.outage(null);
    await shows('Approved (');
    await all.slack.waitForMessage(about(second.ticket.id));
    expect(card.ts).toBe(all.slack.messages()[0]?.ts);
    // The third was over before Slack came back: nobody needs its card.
    expect(all.slack.messages()).toHaveLength(2);
  });

  it('heeds Retry-After, and posts then', async () => {
    const all = await parts(mode, { speed: 1, before: (slack) => slack.limit('chat.postMessage', 1) });
    const hold = await all.hold();
    const limited = await all.slack.waitForCall(({ error }) => error === 'http_429');
    await all.slack.waitForMessage(about(hold.ticket.id));
    const posted = all.slack
      .calls()
      .find(({ method, error }) => method === 'chat.postMessage' && error === null);
    expect((posted?.at ?? 0) - limited.at).toBeGreaterThanOrEqual(1_000);
  });

  it('keeps a card due that Slack refuses, and does not hold up others for it', async () => {
    const all = await parts(mode, {
      before: (slack) => slack.refuse('chat.postMessage', 'not_in_channel', 2),
    });
    const first = await all.hold();
    const second = await all.hold();
    await all.slack.waitForMessage(about(first.ticket.id));
    await all.slack.waitForMessage(about(second.ticket.id));
    expect(all.slack.messages()).toHaveLength(2);
  });

  it('posts without a button where Slack refuses the card itself', async () => {
    const all = await parts(mode, { before: (slack) => slack.refuse('chat.postMessage', 'invalid_blocks') });
    const hold = await all.hold();
    const card = await all.slack.waitForMessage(about(hold.ticket.id));
    expect(hasButtons(card)).toBe(false);
    expect(card.text).toContain(`holdpoint approvals show ${hold.ticket.id}`);
  });

  it('posts a card anew where somebody deleted it', async () => {
    const all = await parts(mode);
    const { hold, card } = await held(all, mode, { requirements: [{ groups: ['data-owners'], quorum: 2 }] });
    all.slack.refuse('chat.update', 'message_not_found');
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    const anew = await all.slack.waitForMessage(
      ({ ts, blocks }) => ts !== card.ts && about(hold.ticket.id)({ blocks } as SlackMessage),
    );
    expect(JSON.stringify(anew.blocks)).toContain('Approved by alice@example.com');
  });

  it('cannot check an account while Slack does not say: refused, and asked to click again', async () => {
    const all = await parts(mode);
    const { hold, card } = await held(all, mode);
    all.slack.refuse('users.info', 'internal_error');
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    const refusal = await all.slack.waitForEphemeral(({ user }) => user === ALICE);
    expect(refusal.text).toContain('Click again');
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
  });

  it('goes by the list of people alone where the app may not look at accounts', async () => {
    const all = await parts(mode, { scopes: ['chat:write'] });
    const { hold, card } = await held(all, mode);
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
  });

  it('knows its cards again after a restart, and catches up with what happened meanwhile', async () => {
    const all = await parts(mode);
    const waiting = await held(all, mode);
    const parked = await held(all, mode);
    await parked.hold.park();
    all.slack.outage('error');
    await all.restart();
    all.slack.outage(null);
    // The client of the first went away with the process; the second was told to come back.
    await waiting.shows('Withdrawn');
    if (mode === 'socket') await all.slack.waitForConnections(1);
    await all.slack.click({ user: ALICE, action: 'Approve', message: parked.card });
    await parked.shows('Approved (');
    expect(all.slack.messages()).toHaveLength(2);
  });

  it('takes the channel by id', async () => {
    const all = await parts(mode, { channel: 'C0APPROVALS' });
    const { card } = await held(all, mode);
    expect(card.channel).toBe('C0APPROVALS');
  });
});

describe('Socket Mode', () => {
  it('connects anew when Slack asks for it, and takes the next click', async () => {
    const all = await parts('socket');
    const { hold, card } = await held(all, 'socket');
    const before = all.slack.calls().filter(({ method }) => method === 'apps.connections.open').length;
    all.slack.disconnect('warning');
    await all.slack.waitForCall(
      ({ method }) =>
        method === 'apps.connections.open' &&
        all.slack.calls().filter((call) => call.method === method).length > before,
    );
    await all.slack.waitForConnections(1);
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
  });

  it('connects anew when the network cuts it, through an outage', async () => {
    const all = await parts('socket');
    const { hold, card } = await held(all, 'socket');
    all.slack.outage('error');
    await all.slack.waitForCall(
      ({ method, error }) => method === 'apps.connections.open' && error === 'http_503',
    );
    all.slack.outage(null);
    await all.slack.waitForConnections(1);
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
  });

  it('does not mind messages that are not envelopes', async () => {
    const all = await parts('socket');
    const { hold, card } = await held(all, 'socket');
    for (const text of [
      '',
      'null',
      '[]',
      '1',
      '{',
      '{"type":"events_api"}',
      '{"type":"events_api","payload":{}}',
    ])
      all.slack.sendRaw(text);
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
  });

  it('gives up a connection that is not said hello to, and makes another', async () => {
    const all = await parts('socket', { before: (slack) => slack.silence(true) });
    const hold = await all.hold();
    const opens = () => all.slack.calls().filter(({ method }) => method === 'apps.connections.open').length;
    await all.slack.waitForCall(() => opens() > 1);
    all.slack.silence(false);
    const card = await all.slack.waitForMessage(about(hold.ticket.id));
    await all.slack.waitForConnections(1);
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
  });

  it('stops while Slack does not answer', async () => {
    const all = await parts('socket', { before: (slack) => slack.outage('reset') });
    await all.hold();
    await all.slack.waitForCall(({ method }) => method === 'apps.connections.open');
    const before = Date.now();
    await all.door.stop();
    expect(Date.now() - before).toBeLessThan(1_000);
  });
});

describe('signed HTTP', () => {
  async function refused(
    spoil: (request: { body: string; headers: Record<string, string> }) => unknown,
    at?: number,
  ) {
    const all = await parts('http');
    const { hold, card } = await held(all, 'http');
    const { body, headers } = all.slack.signed({ user: ALICE, action: 'Approve', message: card }, at);
    const request = { body, headers: { ...headers } };
    spoil(request);
    const status = await all.slack.send(request);
    expect((await all.desk.get(hold.ticket.id))?.answers).toEqual([]);
    return status;
  }

  it('refuses a forged signature', async () => {
    expect(
      await refused(({ headers }) => Object.assign(headers, { 'x-slack-signature': `v0=${'0'.repeat(64)}` })),
    ).toBe(401);
  });

  it('refuses a body that was changed after signing', async () => {
    expect(
      await refused((request) => Object.assign(request, { body: request.body.replace(ALICE, BOB) })),
    ).toBe(401);
  });

  it('refuses a request without signature or timestamp', async () => {
    expect(await refused(({ headers }) => void delete headers['x-slack-signature'])).toBe(401);
    expect(await refused(({ headers }) => void delete headers['x-slack-request-timestamp'])).toBe(401);
  });

  it('refuses a signed request that is older, or newer, than five minutes', async () => {
    expect(await refused(() => {}, Date.now() - 301_000)).toBe(401);
    expect(await refused(() => {}, Date.now() + 302_000)).toBe(401);
  });

  it('refuses an unsigned click that calls itself a check of TLS', async () => {
    const status = await refused((request) => {
      request.body += '&ssl_check=1';
      delete request.headers['x-slack-signature'];
    });
    expect(status).toBe(200);
  });

  it('answers what is not a click without falling over', async () => {
    const all = await parts('http');
    const url = all.slack.requestUrl ?? '';
    const now = { 'x-slack-request-timestamp': String(Math.floor(Date.now() / 1000)) };
    expect((await fetch(url)).status).toBe(405);
    expect((await fetch(new URL('/', url), { method: 'POST' })).status).toBe(404);
    expect((await fetch(url, { method: 'POST', body: 'null', headers: now })).status).toBe(400);
    expect((await fetch(url, { method: 'POST', body: '{"a":', headers: now })).status).toBe(400);
    // At its bound a body is read, and found to be no JSON; over it, it is not even read.
    const large = (octets: number) => ({ method: 'POST', body: 'x'.repeat(octets), headers: now });
    expect((await fetch(url, large(LIMITS.slackRequest))).status).toBe(400);
    expect((await fetch(url, large(LIMITS.slackRequest + 1))).status).toBe(413);
    const { hold, card } = await held(all, 'http');
    await all.slack.click({ user: ALICE, action: 'Approve', message: card });
    expect(await hold.settled).toEqual({ state: 'approved' });
  });

  it('does not start on an address that is taken', async () => {
    const all = await parts('http');
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const settings = settingsFor('http', all.slack, '#approvals');
    const listen = { host: '127.0.0.1', port: (taken.address() as AddressInfo).port };
    const door = createSlackDoor({
      settings: { ...settings, listen } as typeof settings,
      doors: all.desk,
      people: { byId: () => null, bySlack: () => null, byTokenHash: () => null },
      clock: fastClock(1),
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    await expect(door.start()).rejects.toThrow(/cannot listen: .*EADDRINUSE/);
  });
});
