/** The control address over real sockets: who may see what, and everything people try against an approval. */

import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApprovalsApi } from '../../../src/approval/api.ts';
import { tokenHash } from '../../../src/approval/people.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { isOurHost } from '../../../src/server/control/host.ts';
import {
  type ControlListener,
  type ControlListenerOptions,
  startControlListener,
} from '../../../src/server/control/listener.ts';
import {
  type Bench,
  closeBench,
  DIRECTORY,
  held,
  holdRequest,
  MINUTE,
  openBench,
  TOKENS,
} from '../../approval/desk-fixture.ts';
import { silentLogger } from '../../support/logger.ts';

let bench: Bench;
let control: ControlListener;
let options: ControlListenerOptions;

beforeEach(async () => {
  bench = await openBench();
  options = {
    listen: { host: '127.0.0.1', port: 0 },
    api: createApprovalsApi({
      desk: bench.desk,
      people: DIRECTORY,
      operatorTokenHash: tokenHash('operator-token'),
      logger: silentLogger,
    }),
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'holdpoint_up 1\n' }),
    logger: silentLogger,
  };
  control = await startControlListener(options);
});
afterEach(async () => {
  await control.drain();
  await closeBench(bench);
});

async function restart(more: Partial<ControlListenerOptions>): Promise<void> {
  await control.drain();
  control = await startControlListener({ ...options, ...more });
}

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

interface Received {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** node:http rather than fetch: a test has to be able to name a wrong Host. */
async function send(path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Received> {
  const outgoing = request({ ...control.address, path, method, headers, agent: false });
  outgoing.end(body);
  const [incoming] = await once(outgoing, 'response');
  return { status: incoming.statusCode, headers: incoming.headers, body: await text(incoming) };
}

async function decide(id: string, token: string | undefined, decision: object) {
  const { status, body } = await send(`/api/v1/approvals/${id}/decision`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(decision),
  });
  const { code, state } = JSON.parse(body);
  return { status, code, state };
}

const approve = { decision: 'approve' };

describe('what anybody sees', () => {
  it('is health, readiness and metrics', async () => {
    expect(await send('/healthz')).toMatchObject({ status: 200, body: expect.stringContaining('"ok"') });
    expect(await send('/readyz')).toMatchObject({ status: 200 });
    expect(await send('/metrics')).toMatchObject({
      status: 200,
      body: 'holdpoint_up 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4' },
    });
    expect(await send('/healthz', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    expect(await send('/healthz', { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    for (const path of ['/', '/approvals', '/api', '/api/v2/approvals', '/metrics/', '/healthz?x'])
      expect(await send(path)).toMatchObject({ status: 404 });
    for (const path of ['/api/v1', '/api/v1/approvals', '/api/v1/approvals/HP-00000000'])
      expect(await send(path)).toMatchObject({
        status: 401,
        headers: { 'www-authenticate': expect.any(String) },
      });
  });

  it('is told why it is not ready', async () => {
    await restart({ readiness: () => ({ ready: false, reasons: ['no policy is in force'] }) });
    const { status, body } = await send('/readyz');
    expect([status, JSON.parse(body)]).toEqual([503, { ready: false, reasons: ['no policy is in force'] }]);
    expect((await send('/healthz')).status).toBe(200);
  });

  it('hears of a failure without its text', async () => {
    const errors: object[] = [];
    await restart({
      metrics: () => Promise.reject(new Error('a secret')),
      logger: { ...silentLogger, error: (fields) => void errors.push(fields) },
    });
    const { status, body } = await send('/metrics');
    expect([status, body.includes('secret'), errors.length]).toEqual([500, false, 1]);
  });

  it('is never kept, framed or shared with another site', async () => {
    const { headers } = await send('/healthz', { headers: { origin: 'https://evil.example' } });
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    });
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('the Host of a request', () => {
  it.each(['localhost', 'LOCALHOST:3180', '127.0.0.1', '127.0.0.1:8080'])('may be %s', async (host) => {
    expect((await send('/healthz', { headers: { host } })).status).toBe(200);
  });

  it.each([
    'evil.example',
    'localhost.evil.example',
    '127.0.0.2',
    '10.0.0.1',
    'a b',
    'localhost@evil.example',
  ])('may not be %j', async (host) => {
    for (const path of ['/healthz', '/api/v1/approvals'])
      expect((await send(path, { headers: { host, authorization: `Bearer ${TOKENS.alice}` } })).status).toBe(
        421,
      );
  });

  it('may not be missing', () => {
    expect(isOurHost(undefined, '127.0.0.1', 'localhost')).toBe(false);
    expect(isOurHost('', '127.0.0.1', 'localhost')).toBe(false);
    expect(isOurHost('[::1]:80', '::1', '::1')).toBe(true);
    expect(isOurHost('undefined', undefined, 'localhost')).toBe(false);
  });

  it('may be the name that the configuration listens on', () => {
    expect(isOurHost('Holdpoint.internal:3180', '10.0.0.1', 'holdpoint.internal')).toBe(true);
    expect(isOurHost('other.internal:3180', '10.0.0.1', 'holdpoint.internal')).toBe(false);
  });

  it('may be the address that a request came in on, where it listens on all of them', async () => {
    await restart({ listen: { host: '::', port: 0 } });
    control = { ...control, address: { ...control.address, host: '127.0.0.1' } };
    expect((await send('/healthz', { headers: { host: '127.0.0.1' } })).status).toBe(200);
    expect((await send('/healthz', { headers: { host: '10.1.2.3' } })).status).toBe(421);
  });
});

describe('an approval over the wire', () => {
  it('lets the held request through', async () => {
    const hold = await held(bench.desk);
    expect(await decide(hold.ticket.id, TOKENS.alice, approve)).toEqual({ status: 200, state: 'approved' });
    expect(await hold.settled).toEqual({ state: 'approved' });
    expect(await hold.release()).toBe(true);
  });

  it('is measured, and not sent, for HEAD', async () => {
    const headers = { authorization: `Bearer ${TOKENS.alice}` };
    const get = await send('/api/v1/approvals', { headers });
    const head = await send('/api/v1/approvals', { headers, method: 'HEAD' });
    expect([head.status, head.body, head.headers['content-length']]).toEqual([
      200,
      '',
      String(get.body.length),
    ]);
  });

  const attacks: [string, string | undefined, object, object][] = [
    ['the owner’s own token', TOKENS.dana, approve, { status: 403, code: 'self_approval' }],
    ['the owner’s own denial', TOKENS.dana, { decision: 'deny' }, { status: 403, code: 'self_approval' }],
    ['an unknown token', 'not-a-token-of-anybody', approve, { status: 401, code: 'unauthenticated' }],
    ['the operator token', 'operator-token', approve, { status: 403, code: 'forbidden' }],
    ['the operator’s denial', 'operator-token', { decision: 'deny' }, { status: 403, code: 'forbidden' }],
    ['a group that is not asked', TOKENS.carol, approve, { status: 403, code: 'not_entitled' }],
    ['a stranger', TOKENS.mallory, approve, { status: 403, code: 'not_entitled' }],
    [
      'another’s name in the body',
      TOKENS.mallory,
      { ...approve, person: 'alice@example.com' },
      { status: 400 },
    ],
    ['a scope beyond this action', TOKENS.alice, { ...approve, scope: 'shape', ttl: '30m' }, { status: 400 }],
  ];
  it.each(attacks)('is refused to %s', async (_, token, decision, expected) => {
    const hold = await held(bench.desk);
    expect(await decide(hold.ticket.id, token, decision)).toMatchObject(expected);
    expect((await bench.desk.get(hold.ticket.id))?.state).toBe('pending');
    expect(await hold.release()).toBe(false);
  });

  it('counts once when sent twice, also at once', async () => {
    const two = holdRequest(undefined, { requirements: [{ groups: ['data-owners'], quorum: 2 }] });
    const { ticket } = await held(bench.desk, two);
    const twice = await Promise.all([1, 2, 3].map(() => decide(ticket.id, TOKENS.alice, approve)));
    expect(twice).toEqual(Array(3).fill({ status: 200, state: 'pending' }));
    expect(await decide(ticket.id, TOKENS.bob, approve)).toEqual({ status: 200, state: 'approved' });
    expect(await decide(ticket.id, TOKENS.bob, approve)).toEqual({ status: 200, state: 'approved' });
    expect((await bench.desk.get(ticket.id))?.answers).toHaveLength(2);
  });

  it('has one winner among opposite answers at once', async () => {
    const { ticket } = await held(bench.desk);
    const answers = await Promise.all([
      decide(ticket.id, TOKENS.alice, approve),
      decide(ticket.id, TOKENS.bob, { decision: 'deny' }),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const state = (await bench.desk.get(ticket.id))?.state;
    expect(answers.find(({ status }) => status === 200)?.state).toBe(state);
  });

  it('comes too late after expiry, withdrawal, denial and release', async () => {
    const late = { status: 409, code: 'already_closed' };
    const expired = await held(bench.desk, holdRequest('expired', { expiresIn: MINUTE }));
    bench.clock.advance(MINUTE);
    expect(await decide(expired.ticket.id, TOKENS.alice, approve)).toMatchObject({
      ...late,
      state: 'expired',
    });
    const withdrawn = await held(bench.desk, holdRequest('withdrawn'));
    await withdrawn.leave('the client went away');
    expect(await decide(withdrawn.ticket.id, TOKENS.alice, approve)).toMatchObject({
      ...late,
      state: 'withdrawn',
    });
    const denied = await held(bench.desk, holdRequest('denied'));
    await decide(denied.ticket.id, TOKENS.bob, { decision: 'deny' });
    expect(await decide(denied.ticket.id, TOKENS.alice, approve)).toMatchObject({ ...late, state: 'denied' });
    const released = await held(bench.desk, holdRequest('released'));
    await decide(released.ticket.id, TOKENS.alice, approve);
    await released.release();
    expect(await decide(released.ticket.id, TOKENS.bob, { decision: 'deny' })).toMatchObject({
      ...late,
      state: 'released',
    });
  });

  it('leaves every one of these answers in the evidence', async () => {
    const { ticket } = await held(bench.desk);
    await decide(ticket.id, TOKENS.dana, approve);
    await decide(ticket.id, TOKENS.mallory, approve);
    await decide(ticket.id, TOKENS.bob, { decision: 'deny', reason: 'no' });
    await decide(ticket.id, TOKENS.alice, approve);
    const approvals = bench.evidence.records.filter(({ draft }) => draft.type === 'approval');
    expect(approvals.map(({ draft: { detail } }) => [detail.person, detail.outcome, detail.refused])).toEqual(
      [
        ['dana@example.com', 'refused', 'self_approval'],
        ['mallory@example.com', 'refused', 'not_entitled'],
        ['bob@example.com', 'counted', null],
        ['alice@example.com', 'refused', 'already_closed'],
      ],
    );
  });
});

describe('the socket', () => {
  it('refuses a body past its bound, before it has come', async () => {
    const outgoing = request({
      ...control.address,
      path: '/api/v1/approvals/HP-00000000/decision',
      method: 'POST',
      headers: { authorization: `Bearer ${TOKENS.alice}`, 'content-type': 'application/json' },
      agent: false,
    });
    outgoing.write('x'.repeat(LIMITS.controlBody + 1));
    const [incoming] = await once(outgoing, 'response');
    expect(incoming.statusCode).toBe(413);
    expect(incoming.headers.connection).toBe('close');
    outgoing.destroy();
  });

  it('takes a header section up to its bound, and refuses one past it', async () => {
    // The parser counts the target, names and values, and has to stay below its bound.
    const counted = '/healthz Host localhost Connection close X'.replaceAll(' ', '').length;
    const status = async (total: number) => {
      const socket = connect(control.address.port, control.address.host);
      const fields = `Host: localhost\r\nConnection: close\r\nX: ${'x'.repeat(total - counted)}`;
      socket.write(`GET /healthz HTTP/1.1\r\n${fields}\r\n\r\n`);
      return /^HTTP\/1\.1 (\d+)/.exec(await text(socket))?.[1];
    };
    expect(await status(LIMITS.controlHeaderSection - 1)).toBe('200');
    expect(await status(LIMITS.controlHeaderSection)).toBe('431');
  });

  it('says how long it keeps an idle connection', async () => {
    const socket = connect(control.address.port, control.address.host);
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [chunk] = await once(socket, 'data');
    expect(String(chunk)).toContain(`Keep-Alive: timeout=${LIMITS.controlKeepAlive / 1_000}\r\n`);
    socket.destroy();
  });

  it('takes so many connections, and not one more', async () => {
    const open = await Promise.all(
      Array.from({ length: LIMITS.controlConnections }, async () => {
        const socket = connect(control.address.port, control.address.host);
        await once(socket, 'connect');
        return socket;
      }),
    );
    const over = connect(control.address.port, control.address.host).on('error', () => undefined);
    over.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => over.once('close', resolve));
    expect(over.bytesRead).toBe(0);
    open[0]?.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [chunk] = await once(open[0] ?? over, 'data');
    expect(String(chunk)).toMatch(/^HTTP\/1\.1 200/);
    for (const socket of open) socket.destroy();
  });

  it('has no tunnel and no upgrade', async () => {
    const socket = connect(control.address.port, control.address.host);
    socket.end('CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect(await text(socket)).not.toContain('200');
    const upgrade = await send('/healthz', { headers: { connection: 'upgrade', upgrade: 'websocket' } });
    expect(upgrade.status).toBe(200);
  });

  it('says clearly when its port is in use', async () => {
    await expect(startControlListener({ ...options, listen: control.address })).rejects.toMatchObject({
      name: 'Fault',
      message: `control.listen 127.0.0.1:${control.address.port}: the port is in use`,
    });
  });

  it('finishes an open request when it drains, and takes no new one', async () => {
    let finish: (value: { contentType: string; body: string }) => void = () => undefined;
    let began: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => {
      began = resolve;
    });
    await restart({
      metrics: () => {
        began();
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
    });
    const open = send('/metrics');
    await beginning;
    const drained = control.drain();
    await expect(send('/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    finish({ contentType: 'text/plain', body: 'done' });
    expect(await open).toMatchObject({ status: 200, body: 'done' });
    await drained;
  });
});
