/**
 * A Slack to test against: real HTTP and WebSocket on a loopback port, strict where Slack is strict (tokens, scopes, Block
 * Kit, channel names against ids, acknowledgement within 3 s, rate limits, single-use socket addresses, signatures).
 *
 *   const slack = await startSlackStandIn({ users: [{ id: 'U0ALICE', name: 'alice' }] });
 *   // approvals.slack: { mode: socket, api_url: slack.apiUrl, bot_token: slack.botToken,
 *   //                    app_token: slack.appToken, channel: '#approvals' }
 *   const card = await slack.waitForMessage(({ text }) => text.includes('HP-'));
 *   await slack.click({ user: 'U0ALICE', action: 'Approve', message: card });
 *   await slack.waitForMessage(({ ts, text }) => ts === card.ts && text.startsWith('Approved'));
 *   await slack.stop();
 *
 * With `mode: http`, tell it where the app listens first: `slack.requestUrl = await door.start()`.
 * What the app did that Slack would not put up with is in `faults()`: expect it to be empty at the end.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { blockActions, type Click, post, type SignedRequest, sign } from './interactivity.ts';
import { isObject, type JsonObject } from './json.ts';
import { createSocketMode } from './socket-mode.ts';
import { createWatch } from './watch.ts';
import { type Answer, createWebApi } from './web-api.ts';
import {
  createWorkspace,
  type Ephemeral,
  type SlackChannel,
  type SlackMessage,
  type SlackUser,
} from './workspace.ts';

export interface SlackStandInOptions {
  readonly users?: readonly SlackUser[];
  /** `#approvals` (C0APPROVALS) where absent. */
  readonly channels?: readonly SlackChannel[];
  readonly scopes?: readonly string[];
  /** Port to listen on: 0 where absent. For a stand-in that comes back after an outage. */
  readonly port?: number;
}

/** One call of the Web API, as it was answered. `error`: Slack's word, `http_…`, or null. */
export interface SlackCall {
  readonly method: string;
  readonly args: JsonObject;
  readonly at: number;
  readonly error: string | null;
}

export interface SlackStandIn {
  /** For `api_url`. */
  readonly apiUrl: string;
  readonly botToken: string;
  readonly appToken: string;
  readonly signingSecret: string;
  readonly team: string;
  /** Where clicks are posted to; null: they go over Socket Mode. */
  requestUrl: string | null;
  /** Messages as they are now, oldest first. */
  messages(): readonly SlackMessage[];
  /** The first message of which `is` is true, now or within `ms` (10 s). Rejects with what there is instead. */
  waitForMessage(is: (message: SlackMessage) => boolean, ms?: number): Promise<SlackMessage>;
  ephemerals(): readonly Ephemeral[];
  waitForEphemeral(is: (ephemeral: Ephemeral) => boolean, ms?: number): Promise<Ephemeral>;
  calls(): readonly SlackCall[];
  waitForCall(is: (call: SlackCall) => boolean, ms?: number): Promise<SlackCall>;
  /** Resolves once the app has acknowledged the click; rejects when it did not within 3 s, or with a status but 200. */
  click(click: Click): Promise<void>;
  /** The same click as a request, to be spoilt; `send` resolves to the app's status. */
  signed(click: Click, at?: number): SignedRequest;
  send(request: SignedRequest): Promise<number>;
  /** Resolves when `count` Socket Mode connections are open. */
  waitForConnections(count: number, ms?: number): Promise<void>;
  /** Slack asks the app to connect anew. */
  disconnect(reason?: 'warning' | 'refresh_requested'): void;
  /** The network cuts every Socket Mode connection. */
  dropConnections(): void;
  sendRaw(text: string): void;
  /** Socket Mode connections are accepted, but never said hello to. */
  silence(on: boolean): void;
  /** `reset`: connections are cut; `error`: HTTP 503. Sockets are cut too. null ends it. */
  outage(kind: 'reset' | 'error' | null): void;
  /** The next call of `method` is answered 429; any within `seconds` of it too, and is a fault. */
  limit(method: string, seconds: number): void;
  /** The next `times` calls of `method` are answered with `error`. */
  refuse(method: string, error: string, times?: number): void;
  /** What the app did that Slack would not put up with. */
  faults(): readonly string[];
  stop(): Promise<void>;
}

const SCOPES = ['chat:write', 'users:read', 'channels:read'];

export async function startSlackStandIn(options: SlackStandInOptions = {}): Promise<SlackStandIn> {
  const credentials = {
    botToken: 'xoxb-0000000001-stand-in-bot-token',
    appToken: 'xapp-1-A0HOLDPOINT-stand-in-app-token',
    scopes: options.scopes ?? SCOPES,
  };
  const signingSecret = 'stand-in-signing-secret';
  const workspace = createWorkspace({
    team: { id: 'T0STANDIN', name: 'Stand-in', domain: 'stand-in' },
    users: options.users ?? [],
    channels: options.channels ?? [{ id: 'C0APPROVALS', name: 'approvals', member: true }],
  });
  const faults: string[] = [];
  const calls: SlackCall[] = [];
  const watch = createWatch();
  const fault = (what: string) => void faults.push(what);
  const socketMode = createSocketMode(workspace.app, fault);
  socketMode.onConnection(() => watch.changed());

  let base = '';
  const api = createWebApi(workspace, credentials, () => socketMode.open(base.replace('http', 'ws')));
  let outage: 'reset' | 'error' | null = null;
  const limits = new Map<string, { seconds: number; until: number | null }>();
  const refusals: { method: string; error: string; left: number }[] = [];

  const sockets = new Set<Socket>();
  const server = createServer((request, response) => void serve(request, response));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('upgrade', (request, socket, head) => {
    if (outage !== null) socket.destroy();
    else socketMode.upgrade(request, socket, head);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = /^\/api\/([\w.]+)$/.exec(request.url ?? '')?.[1] ?? '';
    const body = await bodyOf(request);
    const note = (args: JsonObject, error: string | null) => {
      calls.push({ method, args, at: Date.now(), error });
      watch.changed();
    };
    if (outage === 'reset') {
      note({}, 'reset');
      request.socket.destroy();
      return;
    }
    if (outage === 'error') {
      note({}, 'http_503');
      response.writeHead(503).end('upstream connect error');
      return;
    }
    const pause = pauseFor(method);
    if (pause !== null) {
      note({}, 'http_429');
      response.writeHead(429, { 'retry-after': String(pause), 'content-type': 'application/json' });
      response.end(JSON.stringify({ ok: false, error: 'ratelimited' }));
      return;
    }
    const { args, token, problem } = argumentsOf(request, body);
    const answer: Answer = problem
      ? { ok: false, error: problem }
      : (refused(method) ?? api.call(method, token, args));
    note(args, answer.ok ? null : String(answer.error));
    response.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'x-oauth-scopes': credentials.scopes.join(','),
    });
    response.end(JSON.stringify(answer));
  }

  function pauseFor(method: string): number | null {
    const limit = limits.get(method);
    if (!limit) return null;
    const now = Date.now();
    if (limit.until === null) limit.until = now + limit.seconds * 1_000;
    else if (now < limit.until) fault(`${method} was called again before Retry-After had passed`);
    else {
      limits.delete(method);
      return null;
    }
    return limit.seconds;
  }

  function refused(method: string): Answer | null {
    const refusal = refusals.find((each) => each.method === method && each.left > 0);
    if (!refusal) return null;
    refusal.left -= 1;
    return { ok: false, error: refusal.error };
  }

  /** Copies: who holds one sees what a screen showed then, and can click on it. */
  const messages = () => workspace.messages.map((message) => ({ ...message }));

  const standIn: SlackStandIn = {
    apiUrl: `${base}/api/`,
    botToken: credentials.botToken,
    appToken: credentials.appToken,
    signingSecret,
    team: workspace.team.id,
    requestUrl: null,
    messages,
    waitForMessage: (is, ms) => watch.first('message', messages, is, ms),
    ephemerals: () => [...workspace.ephemerals],
    waitForEphemeral: (is, ms) => watch.first('ephemeral', () => workspace.ephemerals, is, ms),
    calls: () => [...calls],
    waitForCall: (is, ms) => watch.first('call', () => calls, is, ms),
    async click(click) {
      if (standIn.requestUrl === null) {
        await socketMode.deliver('interactive', blockActions(workspace, click));
        return;
      }
      const status = await standIn.send(standIn.signed(click));
      if (status !== 200) throw new Error(`the app answered a click with ${status}`);
    },
    signed: (click, at) => sign(blockActions(workspace, click), signingSecret, at),
    send(request) {
      if (standIn.requestUrl === null) throw new Error('set requestUrl first');
      return post(standIn.requestUrl, request);
    },
    async waitForConnections(count, ms) {
      await watch.first(
        'connection',
        () => [socketMode.connections],
        (open) => open >= count,
        ms,
      );
    },
    disconnect: (reason = 'refresh_requested') => socketMode.disconnect(reason),
    dropConnections: () => socketMode.drop(),
    sendRaw: (text) => socketMode.sendRaw(text),
    silence(on) {
      socketMode.silent = on;
    },
    outage(kind) {
      outage = kind;
      if (kind === null) return;
      socketMode.drop();
      for (const socket of sockets) socket.destroy();
    },
    limit: (method, seconds) => void limits.set(method, { seconds, until: null }),
    refuse: (method, error, times = 1) => void refusals.push({ method, error, left: times }),
    faults: () => [...faults],
    async stop() {
      socketMode.close();
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return standIn;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch {
    // The caller went away: there is nobody to answer.
  }
  return Buffer.concat(chunks).toString();
}

/** Slack takes a form or JSON, and the token in a header or a form. */
function argumentsOf(
  request: IncomingMessage,
  body: string,
): { args: JsonObject; token: string | null; problem: string | null } {
  const bearer = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null;
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim();
  if (request.method !== 'POST') return { args: {}, token: bearer, problem: 'invalid_request_method' };
  if (type === 'application/x-www-form-urlencoded' || (type === '' && body === '')) {
    const { token, ...args } = Object.fromEntries(new URLSearchParams(body));
    return { args, token: bearer ?? token ?? null, problem: null };
  }
  if (type !== 'application/json') return { args: {}, token: bearer, problem: 'invalid_post_type' };
  try {
    const value: unknown = JSON.parse(body);
    return isObject(value)
      ? { args: value, token: bearer, problem: null }
      : { args: {}, token: bearer, problem: 'json_not_object' };
  } catch {
    return { args: {}, token: bearer, problem: 'invalid_json' };
  }
}
