/** The REST door as a function: what it understands, what it refuses, and in which words. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApprovalsApi, createApprovalsApi } from '../../src/approval/api.ts';
import { tokenHash } from '../../src/approval/people.ts';
import { CATALOGUE, type ErrorCode } from '../../src/core/errors.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { silentLogger } from '../support/logger.ts';
import { type Bench, closeBench, DIRECTORY, held, holdRequest, openBench, TOKENS } from './desk-fixture.ts';

let bench: Bench;
let api: ApprovalsApi;

beforeEach(async () => {
  bench = await openBench();
  api = createApprovalsApi({
    desk: bench.desk,
    people: DIRECTORY,
    operatorTokenHash: tokenHash('operator-token'),
    logger: silentLogger,
  });
});
afterEach(() => closeBench(bench));

interface Sent {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly authorization?: string;
  readonly contentType?: string;
  readonly body?: string | Uint8Array;
}

async function send(target: string, sent: Sent = {}) {
  const { method = 'GET', token = TOKENS.alice, contentType = 'application/json', body = '' } = sent;
  const response = await api({
    method,
    target,
    headers: { authorization: sent.authorization ?? `Bearer ${token}`, 'content-type': contentType },
    body: typeof body === 'string' ? Buffer.from(body) : body,
  });
  return { ...response, json: JSON.parse(response.body) };
}

const decide = (id: string, body: string | Uint8Array | object, more: Sent = {}) =>
  send(`/api/v1/approvals/${id}/decision`, {
    method: 'POST',
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    ...more,
  });

function expectProblem(response: Awaited<ReturnType<typeof send>>, code: ErrorCode) {
  expect(response.headers['content-type']).toBe('application/problem+json');
  expect(response.json).toMatchObject({
    type: `urn:holdpoint:problem:${code}`,
    code,
    status: CATALOGUE[code].status,
    title: CATALOGUE[code].title,
    remedy: CATALOGUE[code].remedy,
    detail: expect.any(String),
  });
  expect(response.status).toBe(CATALOGUE[code].status);
}

describe('reading', () => {
  it('shows the whole ticket', async () => {
    const { ticket } = await held(bench.desk);
    const { status, json } = await send(`/api/v1/approvals/${ticket.id}`);
    expect(status).toBe(200);
    expect(json).toMatchObject({
      id: ticket.id,
      state: 'pending',
      agent: { id: 'billing-bot', owner: 'Dana@Example.com', environment: 'production' },
      display: { title: 'SELECT reading customers', text: 'SELECT * FROM customers', truncated: false },
      fingerprint: ticket.fingerprint,
      rules: [{ id: 'postgres.bulk_export' }],
      requirements: [{ groups: ['data-owners'], quorum: 1, have: 0 }],
      opened_at: '2026-11-23T09:00:00.000Z',
      expires_at: '2026-11-23T09:15:00.000Z',
      closed_at: null,
      closed_reason: null,
      answers: [],
    });
  });

  it('lists the newest first, by state, in pages', async () => {
    for (const text of ['one', 'two', 'three']) await held(bench.desk, holdRequest(text));
    const { json: first } = await send('/api/v1/approvals?state=pending,approved&limit=2');
    expect(texts(first)).toEqual(['three', 'two']);
    const { json: rest } = await send(`/api/v1/approvals?limit=2&cursor=${first.next}`);
    expect([texts(rest), rest.next]).toEqual([['one'], null]);
    await decide(first.tickets[0].id, { decision: 'deny', reason: 'no' });
    expect(texts((await send('/api/v1/approvals?state=denied')).json)).toEqual(['three']);
  });

  const texts = (page: { tickets: { display: { text: string } }[] }) =>
    page.tickets.map(({ display }) => display.text);

  it('cuts a long text in a list, says so, and shows it whole on its own', async () => {
    const text = `${'é'.repeat(LIMITS.cardText)}!`;
    const { ticket } = await held(bench.desk, holdRequest(text));
    await held(bench.desk, holdRequest('é'.repeat(LIMITS.cardText)));
    const { json } = await send('/api/v1/approvals');
    expect(json.tickets.map(({ display }: { display: object }) => display)).toEqual([
      expect.objectContaining({ truncated: false, text: 'é'.repeat(LIMITS.cardText) }),
      expect.objectContaining({ truncated: true, text: 'é'.repeat(LIMITS.cardText) }),
    ]);
    expect((await send(`/api/v1/approvals/${ticket.id}`)).json.display).toMatchObject({
      text,
      truncated: false,
    });
  });

  it.each([
    ['an unknown parameter', 'filter=x'],
    ['a parameter given twice', 'limit=1&limit=2'],
    ['an unknown state', 'state=open'],
    ['a state of the prototype', 'state=constructor'],
    ['a page of none', 'limit=0'],
    ['a page past the bound', `limit=${LIMITS.controlPage + 1}`],
    ['an invented cursor', 'cursor=1%20or%201'],
  ])('refuses %s', async (_, query) => {
    expectProblem(await send(`/api/v1/approvals?${query}`), 'bad_request');
  });

  it('takes the largest page', async () => {
    expect((await send(`/api/v1/approvals?limit=${LIMITS.controlPage}`)).status).toBe(200);
  });

  it.each([
    '/api/v1',
    '/api/v1/approvals/',
    '/api/v1/approvals/HP-00000000',
    '/api/v1/approvals/hp-00000000',
    '/api/v1/approvals/HP-0000000I',
    '/api/v1/approvals/HP-00000000/',
    '/api/v1/approvals/HP-00000000/decision/',
    '/api/v1/../v1/approvals',
    '/api/v1/%61pprovals',
    'http://127.0.0.1/api/v1/approvals',
  ])('knows nothing at %s', async (target) => {
    expectProblem(await send(target), 'not_found');
  });

  it.each([
    ['DELETE', '/api/v1/approvals', 'GET, HEAD'],
    ['POST', '/api/v1/approvals/HP-00000000', 'GET, HEAD'],
    ['GET', '/api/v1/approvals/HP-00000000/decision', 'POST'],
    ['OPTIONS', '/api/v1/approvals/HP-00000000/decision', 'POST'],
  ])('offers no %s %s', async (method, target, allow) => {
    const response = await send(target, { method });
    expectProblem(response, 'method_not_allowed');
    expect(response.headers.allow).toBe(allow);
  });

  it.each([
    ['no header', ''],
    ['no scheme', TOKENS.alice ?? ''],
    ['another scheme', `Basic ${TOKENS.alice}`],
    ['no token', 'Bearer '],
    ['an unknown token', 'Bearer nobody-knows-this'],
    ['two tokens', `Bearer ${TOKENS.alice} ${TOKENS.bob}`],
    ['the hash in place of the token', `Bearer ${tokenHash('token-of-alice')}`],
  ])('lets nobody in with %s', async (_, authorization) => {
    const { ticket } = await held(bench.desk);
    for (const target of ['/api/v1/approvals', `/api/v1/approvals/${ticket.id}`, '/api/v1/nothing']) {
      const response = await send(target, { authorization });
      expectProblem(response, 'unauthenticated');
      expect(response.headers['www-authenticate']).toMatch(/^Bearer/);
    }
    expectProblem(await decide(ticket.id, { decision: 'approve' }, { authorization }), 'unauthenticated');
  });
});

describe('deciding', () => {
  it('approves, and gives back the ticket as it is then', async () => {
    const hold = await held(bench.desk);
    const { status, json } = await decide(hold.ticket.id, {
      decision: 'approve',
      reason: 'go',
      scope: 'once',
    });
    expect([status, json.state]).toEqual([200, 'approved']);
    expect(json.requirements).toEqual([{ groups: ['data-owners'], quorum: 1, have: 1 }]);
    expect(json.answers).toEqual([
      {
        person: 'alice@example.com',
        decision: 'approve',
        reason: 'go',
        via: 'api',
        at: '2026-11-23T09:00:00.000Z',
      },
    ]);
    expect(await hold.release()).toBe(true);
  });

  it('lets the operator read, and never answer', async () => {
    const hold = await held(bench.desk);
    const token = 'operator-token';
    expect((await send('/api/v1/approvals', { token })).status).toBe(200);
    expect((await send(`/api/v1/approvals/${hold.ticket.id}`, { token })).json.id).toBe(hold.ticket.id);
    for (const decision of ['approve', 'deny']) {
      const response = await decide(hold.ticket.id, { decision }, { token });
      expectProblem(response, 'forbidden');
      expect(response.json.detail).toMatch(/names no person/);
    }
    expect((await bench.desk.get(hold.ticket.id))?.state).toBe('pending');
  });

  it.each([
    ['no body', ''],
    ['what is not JSON', '{decision: "approve"}'],
    ['an array', '["approve"]'],
    ['null', 'null'],
    ['no decision', '{}'],
    ['another decision', '{"decision":"APPROVE"}'],
    ['an unknown member', '{"decision":"approve","person":"carol@example.com"}'],
    ['a member of the prototype', '{"decision":"approve","__proto__":"x"}'],
    ['a member twice', '{"decision":"deny","decision":"approve"}'],
    ['a member twice, once escaped', '{"decision":"deny","\\u0064ecision":"approve"}'],
    ['a reason that is no text', '{"decision":"deny","reason":["x"]}'],
    ['an object in it', '{"decision":"deny","reason":{"a":"b"}}'],
    ['a byte-order mark', Buffer.from('\ufeff{"decision":"approve"}')],
    [
      'what is not UTF-8',
      Buffer.from([...Buffer.from('{"decision":"approve","reason":"'), 0xff, 0x22, 0x7d]),
    ],
    ['a scope that is not built', '{"decision":"approve","scope":"shape"}'],
    ['a time that is not built', '{"decision":"approve","scope":"once","ttl":"30m"}'],
    [
      'a reason past its bound',
      JSON.stringify({ decision: 'deny', reason: 'x'.repeat(LIMITS.reviewerReason + 1) }),
    ],
  ])('refuses %s', async (_, body) => {
    const hold = await held(bench.desk);
    expectProblem(await decide(hold.ticket.id, body), 'bad_request');
    expect((await bench.desk.get(hold.ticket.id))?.state).toBe('pending');
  });

  it('reads colons, quotes and braces within a reason as what they are', async () => {
    const hold = await held(bench.desk);
    const reason = 'see: "x": {\\} [a:b], \\"decision\\": no';
    expect((await decide(hold.ticket.id, { decision: 'deny', reason })).json.answers[0].reason).toBe(reason);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', ''])(
    'refuses a body that says it is %s',
    async (contentType) => {
      const hold = await held(bench.desk);
      const response = await decide(hold.ticket.id, { decision: 'approve' }, { contentType });
      expectProblem(response, 'media_type_unsupported');
    },
  );

  it('bounds the body', async () => {
    const hold = await held(bench.desk);
    const body = (octets: number) => '{"decision":"deny"}'.padEnd(octets);
    expectProblem(await decide(hold.ticket.id, body(LIMITS.controlBody + 1)), 'request_too_large');
    expect((await decide(hold.ticket.id, body(LIMITS.controlBody))).json.state).toBe('denied');
  });

  it('says what is wrong when the log or the store fails, and approves nothing', async () => {
    const hold = await held(bench.desk);
    bench.evidence.failing = true;
    expectProblem(await decide(hold.ticket.id, { decision: 'approve' }), 'evidence_unavailable');
    await bench.store.close();
    expectProblem(await decide(hold.ticket.id, { decision: 'approve' }), 'store_unavailable');
    expectProblem(await send('/api/v1/approvals'), 'store_unavailable');
  });
});
