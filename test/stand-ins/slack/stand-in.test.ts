import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { problemsOf } from './block-kit.ts';
import { type SlackStandIn, startSlackStandIn } from './stand-in.ts';

let slack: SlackStandIn;

beforeEach(async () => {
  slack = await startSlackStandIn({
    users: [{ id: 'U0ALICE', name: 'alice' }],
    channels: [
      { id: 'C0APPROVALS', name: 'approvals' },
      { id: 'C0OTHER', name: 'other', member: false },
    ],
  });
});

afterEach(() => slack.stop());

async function call(
  method: string,
  args: Record<string, unknown> = {},
  token: string | null = slack.botToken,
) {
  const response = await fetch(`${slack.apiUrl}${method}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(args),
  });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, retryAfter: response.headers.get('retry-after'), ...body };
}

const button = {
  type: 'button',
  text: { type: 'plain_text', text: 'Approve' },
  action_id: 'a',
  value: 'v',
};
const withButton = { channel: '#approvals', text: 't', blocks: [{ type: 'actions', elements: [button] }] };

describe('the Slack stand-in is as strict as Slack about', () => {
  it('tokens', async () => {
    expect(await call('auth.test')).toMatchObject({ ok: true, team_id: slack.team });
    expect(await call('auth.test', {}, null)).toMatchObject({ ok: false, error: 'not_authed' });
    expect(await call('auth.test', {}, 'xoxb-other')).toMatchObject({ error: 'invalid_auth' });
    expect(await call('apps.connections.open')).toMatchObject({ error: 'not_allowed_token_type' });
    expect(await call('no.such.method')).toMatchObject({ error: 'unknown_method' });
  });

  it('channels: a name is enough to post, an id is needed to update', async () => {
    expect(await call('chat.postMessage', { channel: '#nowhere', text: 'x' })).toMatchObject({
      error: 'channel_not_found',
    });
    expect(await call('chat.postMessage', { channel: 'other', text: 'x' })).toMatchObject({
      error: 'not_in_channel',
    });
    expect(await call('chat.postMessage', { channel: '#approvals' })).toMatchObject({ error: 'no_text' });
    await call('chat.postMessage', { channel: '#approvals', text: 'x' });
    const ts = slack.messages()[0]?.ts;
    const update = (channel: string, more = {}) => call('chat.update', { channel, ts, text: 'y', ...more });
    expect(await update('#approvals')).toMatchObject({ error: 'channel_not_found' });
    expect(await update('C0APPROVALS', { ts: '1.1' })).toMatchObject({ error: 'message_not_found' });
    expect(await update('C0APPROVALS')).toMatchObject({ ok: true });
    expect(slack.messages()).toMatchObject([{ text: 'y', edits: 1 }]);
  });

  it.each<[string, unknown, boolean]>([
    [
      'a header of 150 characters',
      { type: 'header', text: { type: 'plain_text', text: 'x'.repeat(150) } },
      true,
    ],
    ['a header of 151', { type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }, false],
    ['mrkdwn in a header', { type: 'header', text: { type: 'mrkdwn', text: 'x' } }, false],
    ['a section of 3000', { type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(3000) } }, true],
    ['a section of 3001', { type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(3001) } }, false],
    ['an empty text', { type: 'section', text: { type: 'mrkdwn', text: '' } }, false],
    [
      'verbatim plain text',
      { type: 'section', text: { type: 'plain_text', text: 'x', verbatim: true } },
      false,
    ],
    ['no text at all', { type: 'section' }, false],
    ['10 fields', { type: 'section', fields: Array(10).fill({ type: 'mrkdwn', text: 'x' }) }, true],
    ['11 fields', { type: 'section', fields: Array(11).fill({ type: 'mrkdwn', text: 'x' }) }, false],
    ['a field of 2001', { type: 'section', fields: [{ type: 'mrkdwn', text: 'x'.repeat(2001) }] }, false],
    ['a value of 2000', { type: 'actions', elements: [{ ...button, value: 'x'.repeat(2000) }] }, true],
    ['a value of 2001', { type: 'actions', elements: [{ ...button, value: 'x'.repeat(2001) }] }, false],
    ['two buttons of one action id', { type: 'actions', elements: [button, button] }, false],
    [
      'a label of 76',
      { type: 'actions', elements: [{ ...button, text: { type: 'plain_text', text: 'x'.repeat(76) } }] },
      false,
    ],
    ['an undocumented key', { type: 'divider', color: 'red' }, false],
    ['an unknown block', { type: 'marquee' }, false],
    ['no block', 'x', false],
  ])('Block Kit: %s', (_name, block, good) => {
    expect(problemsOf([block]).length === 0).toBe(good);
  });

  it('the number of blocks, their form, and all of their text', async () => {
    const divider = { type: 'divider' };
    expect(problemsOf(Array(50).fill(divider))).toEqual([]);
    expect(problemsOf(Array(51).fill(divider))).not.toEqual([]);
    const post = (blocks: unknown) => call('chat.postMessage', { channel: '#approvals', text: 't', blocks });
    expect(await post('{')).toMatchObject({ error: 'invalid_blocks_format' });
    expect(await post([{ type: 'section' }])).toMatchObject({
      error: 'invalid_blocks',
      response_metadata: { messages: ['[ERROR] text or fields is required [json-pointer:/blocks/0]'] },
    });
    const section = { type: 'section', text: { type: 'mrkdwn', text: 'x'.repeat(3000) } };
    expect(await post(Array(4).fill(section))).toMatchObject({ error: 'msg_blocks_too_long' });
  });

  it('rate limits: a call before Retry-After is a fault', async () => {
    slack.limit('auth.test', 60);
    expect(await call('auth.test')).toMatchObject({ status: 429, retryAfter: '60', error: 'ratelimited' });
    expect(slack.faults()).toEqual([]);
    expect(await call('auth.test')).toMatchObject({ status: 429 });
    expect(slack.faults()).toEqual(['auth.test was called again before Retry-After had passed']);
  });

  it('socket addresses: good once', async () => {
    const { url } = (await call('apps.connections.open', {}, slack.appToken)) as unknown as { url: string };
    const socket = new WebSocket(url);
    const [hello] = await once(socket, 'message');
    expect(JSON.parse(String(hello))).toMatchObject({ type: 'hello', num_connections: 1 });
    const again = new WebSocket(url);
    await expect(once(again, 'open')).rejects.toThrow('408');
    expect(slack.faults()).toHaveLength(1);
    socket.close();
  });

  it('acknowledgement: within three seconds', async () => {
    await call('chat.postMessage', withButton);
    const [message] = slack.messages();
    if (!message) throw new Error('no message');
    const click = { user: 'U0ALICE', action: 'Approve', message };
    await expect(slack.click(click)).rejects.toThrow('no Socket Mode connection');
    const { url } = (await call('apps.connections.open', {}, slack.appToken)) as unknown as { url: string };
    const socket = new WebSocket(url);
    await once(socket, 'message');
    await expect(slack.click(click)).rejects.toThrow('not acknowledged within 3 s');
    expect(slack.faults()).toEqual(['an envelope was not acknowledged within 3 s']);
    socket.close();
  });

  it('buttons: nobody can click what is not there', async () => {
    await call('chat.postMessage', withButton);
    const [message] = slack.messages();
    if (!message) throw new Error('no message');
    await expect(slack.click({ user: 'U0ALICE', action: 'Deny', message })).rejects.toThrow('no button Deny');
    await expect(slack.click({ user: 'U0NOBODY', action: 'Approve', message })).rejects.toThrow('no user');
  });

  it('signed requests: what it sends can be verified', async () => {
    await call('chat.postMessage', withButton);
    const [message] = slack.messages();
    if (!message) throw new Error('no message');
    const { verifySlackRequest } = await import('@slack/bolt');
    const { body, headers } = slack.signed({ user: 'U0ALICE', action: 'Approve', message });
    const check = (text: string) =>
      verifySlackRequest({
        signingSecret: slack.signingSecret,
        body: text,
        headers: {
          'x-slack-signature': headers['x-slack-signature'] ?? '',
          'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
        },
      });
    check(body);
    expect(() => check(`${body}${randomBytes(1).toString('hex')}`)).toThrow('signature mismatch');

    const app = createServer((_request, response) => void response.writeHead(500).end());
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
    slack.requestUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}/slack/events`;
    await expect(slack.click({ user: 'U0ALICE', action: 'Approve', message })).rejects.toThrow('500');
    app.close();
  });
});
