/**
 * Waiting, then parking: the client is told to come back, the ticket stays, and the identical request passes once it
 * is approved, once.
 */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decideTicket, showTicket } from '../support/control-api.ts';
import { type Running, startHoldpoint } from '../support/running.ts';
import { ask } from './http-agent.ts';
import { KNOWN, type Origin, startOrigin } from './origin.ts';
import { recordsOf } from './records.ts';
import { runOnce, session, singleValue } from './sql-agent.ts';
import { ticketOf } from './tickets.ts';

let origin: Origin;
let running: Running;

beforeAll(async () => {
  origin = await startOrigin();
  running = await startHoldpoint({
    config: {
      http: { upstream: { resolve: origin.resolve } },
      hold: { wait: { http: '250ms', postgres: '250ms', in_transaction: '250ms' } },
    },
    data: KNOWN,
  });
});

beforeEach(() => {
  origin.requests.length = 0;
});

afterAll(async () => {
  await running.stop();
  await origin.stop();
});

const approve = async (ticket: string): Promise<void> => {
  const { status, body } = await decideTicket(running, running.reviewer, ticket, { decision: 'approve' });
  expect(status, JSON.stringify(body)).toBe(200);
};

describe('a call', () => {
  const call = (body: string) =>
    ask(running.proxyUrl, {
      method: 'DELETE',
      url: '/v1/things/7',
      headers: { 'content-type': 'application/json' },
      body,
    });
  const parked = async (body: string): Promise<string> => {
    const { status, headers, json } = await call(body);
    expect(status).toBe(503);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'retry-after': expect.stringMatching(/^[1-9]\d*$/),
      'holdpoint-decision': 'pending',
      'holdpoint-ticket': json.ticket,
    });
    expect(json).toMatchObject({
      type: 'urn:holdpoint:problem:hold_pending',
      status: 503,
      code: 'hold_pending',
      rules: [{ id: 'http.delete' }],
      instance: `${running.controlUrl}/api/v1/approvals/${json.ticket}`,
    });
    return String(json.ticket);
  };

  it('is parked, joins its ticket when it comes back, and passes once after approval', async () => {
    const first = await parked('{"force":true}');
    expect(await parked('{"force":true}')).toBe(first);
    const other = await parked('{"force":false}');
    expect(other).not.toBe(first);
    await approve(first);
    expect(origin.requests).toEqual([]);

    expect((await call('{"force":true}')).status).toBe(200);
    expect(origin.requests.map(({ body }) => body.toString())).toEqual(['{"force":true}']);
    expect(await ticketOf(running, first)).toMatchObject({ state: 'released' });

    const second = await parked('{"force":true}');
    expect([first, other]).not.toContain(second);
    expect(await parked('{"force":false}')).toBe(other);
    expect(origin.requests).toHaveLength(1);
  });

  it('says where the ticket is: a person with a token finds it there', async () => {
    const ticket = await parked('{"look":1}');
    const { status, body } = await showTicket(running, running.reviewer, ticket);
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: ticket, state: 'pending', parked: true });
    expect(JSON.stringify(body.display)).toContain('look');
  });
});

describe('a statement', () => {
  const SQL = 'UPDATE payments SET amount = $1 WHERE id = 1';
  const run = (value: number) => runOnce(running.agentUrl, SQL, [value]);
  const parked = async (value: number): Promise<string> => {
    const ended = await run(value);
    expect(ended).toMatchObject({
      sqlstate: '55000',
      message: expect.stringMatching(/^waiting for approval, ticket HP-[0-9A-Z]{8}$/),
      detail: expect.stringMatching(/HP-[0-9A-Z]{8}/),
      hint: expect.stringContaining('Send the identical request again later'),
    });
    return /HP-[0-9A-Z]{8}/.exec(JSON.stringify(ended))?.[0] ?? '';
  };
  const amount = () => singleValue(running.directUrl, 'SELECT amount FROM payments WHERE id = 1');

  it('is parked, joins its ticket when it comes back, and passes once after approval', async () => {
    const before = await amount();
    const first = await parked(41);
    expect(await parked(41)).toBe(first);
    const other = await parked(42);
    expect(other).not.toBe(first);
    await approve(first);
    expect(await amount()).toBe(before);

    expect(await run(41)).toEqual({ rows: [] });
    expect(await amount()).toBe('41.00');
    expect([first, other]).not.toContain(await parked(41));
    expect(await parked(42)).toBe(other);

    const records = recordsOf(running).filter(({ ticket }) => ticket === first);
    expect(records.map(({ type }) => type)).toEqual([
      'hold_opened',
      'decision',
      'decision',
      'approval',
      'decision',
      'hold_closed',
      'decision',
      'outcome',
    ]);
  });

  it('in a transaction fails it, and another try in a new one goes on', async () => {
    const agent = await session(running.agentUrl);
    await agent.run('BEGIN');
    const ended = await agent.run(SQL, [43]);
    expect(ended).toMatchObject({ sqlstate: '55000' });
    expect(await agent.run('SELECT 1')).toMatchObject({ sqlstate: '25P02' });
    await agent.run('ROLLBACK');
    await approve(/HP-[0-9A-Z]{8}/.exec(JSON.stringify(ended))?.[0] ?? '');
    await agent.run('BEGIN');
    expect(await agent.run(SQL, [43])).toEqual({ rows: [] });
    await agent.run('COMMIT');
    await agent.end();
    expect(await amount()).toBe('43.00');
  });

  it('that is denied after it was parked keeps its answer on the ticket, and may be asked anew', async () => {
    const ticket = await parked(44);
    const answer = { decision: 'deny', reason: 'not this month' } as const;
    expect((await decideTicket(running, running.reviewer, ticket, answer)).status).toBe(200);
    // Nothing waited for the answer: the ticket has it, and the same request is a new question.
    expect(await ticketOf(running, ticket)).toMatchObject({
      state: 'denied',
      closed_reason: `denied by ${running.reviewer.id}: not this month`,
    });
    expect(await parked(44)).not.toBe(ticket);
  });
});
