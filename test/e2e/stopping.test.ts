/**
 * How it ends: by a signal, by an impatient second one, and by kill -9. In each case nothing that waited for a person
 * is released, whoever waited is told or cut off, and the log says what happened.
 */

import { appendFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { decideTicket } from '../support/control-api.ts';
import { eventually } from '../support/eventually.ts';
import { type Running, startHoldpoint } from '../support/running.ts';
import { ask } from './http-agent.ts';
import { KNOWN, type Origin, startOrigin } from './origin.ts';
import { recorded, recordsOf, verify } from './records.ts';
import { runOnce, session, singleValue } from './sql-agent.ts';
import { onlyPending, pending, ticketOf } from './tickets.ts';

const PAYMENTS = 5000;
const COUNT = 'SELECT count(*)::int FROM payments';

let origin: Origin;
let running: Running;

beforeAll(async () => {
  origin = await startOrigin();
  running = await startHoldpoint({
    config: { http: { upstream: { resolve: origin.resolve } } },
    data: KNOWN,
  });
});

beforeEach(() => {
  origin.requests.length = 0;
  origin.answer = (_, response) => void response.writeHead(200).end('done');
});

afterAll(async () => {
  await running.stop();
  await origin.stop();
});

/** A request that the origin has begun to answer, and goes on with when told. */
async function slowAnswer(): Promise<{ answer: Promise<{ text: string }>; finish: () => void }> {
  let begun: ServerResponse | null = null;
  origin.answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('begun, ');
    begun = response;
  };
  const answer = ask(running.proxyUrl, { url: '/v1/slow' });
  // Whoever awaits it later is told; until then a rejection is nobody's.
  answer.catch(() => {});
  const response = await eventually('the origin to answer', () => begun);
  return { answer, finish: () => response.end('finished') };
}

async function probe(path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${running.controlUrl}${path}`);
  return { status: response.status, text: await response.text() };
}

it('is killed while a statement and a call wait: neither ever runs', async () => {
  const held = [
    ask(running.proxyUrl, { method: 'DELETE', url: '/v1/things/1' }).catch(() => 'cut off'),
    runOnce(running.agentUrl, 'DELETE FROM payments').catch(() => 'cut off'),
  ];
  const tickets = await pending(running, 2);
  // A ticket can be seen a moment before its decision is on record.
  await eventually('both decisions on record', async () => {
    const decided = recordsOf(running).filter(({ type }) => type === 'decision');
    return tickets.every((ticket) => decided.some((record) => record.ticket === ticket));
  });
  running.signal('SIGKILL');
  await running.exited;
  expect((await Promise.all(held))[0]).toBe('cut off');
  // What a crash in the middle of a write leaves.
  const torn = '{"v":1,"seq":99,"time":"20';
  appendFileSync(join(running.stateDir, 'audit.jsonl'), torn);

  const early = eventually('an answer before it is ready', async () => {
    const answer = await probe('/readyz').catch(() => null);
    return answer?.status === 503 && answer;
  });
  await running.startAgain();
  expect((await early).text).toContain('the start has not finished');
  for (const id of tickets) {
    expect(await ticketOf(running, id)).toMatchObject({
      state: 'withdrawn',
      closed_reason: 'Holdpoint restarted while the client was waiting',
    });
    const answer = await decideTicket(running, running.reviewer, id, { decision: 'approve' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'already_closed' } });
  }
  expect(origin.requests).toEqual([]);
  expect(await singleValue(running.directUrl, COUNT)).toBe(PAYMENTS);

  const records = recordsOf(running);
  const gap = records.find(({ type }) => type === 'gap');
  expect(gap).toMatchObject({ detail: { reason: 'unclean_stop', torn: { octets: torn.length } } });
  for (const ticket of tickets) {
    const about = records.filter((record) => record.ticket === ticket).map(({ type }) => type);
    expect(about).toEqual(['hold_opened', 'decision', 'hold_closed', 'approval']);
  }
  const verified = await verify(running);
  expect(verified.code, verified.stdout).toBe(0);
});

it('is ready, and counts what it decides', async () => {
  expect(await probe('/readyz')).toMatchObject({ status: 200 });
  expect(await probe('/healthz')).toMatchObject({ status: 200 });
  expect((await ask(running.proxyUrl, { url: '/v1/x' })).status).toBe(200);
  expect((await ask(running.proxyUrl, { url: 'http://denied.example.test/' })).status).toBe(502);
  const denied = await runOnce(running.agentUrl, 'DROP TABLE payments');
  expect(denied).toMatchObject({ sqlstate: '42501' });
  const { text } = await probe('/metrics');
  for (const line of [
    /^holdpoint_decisions_total\{kind="http",effect="allow"\} [1-9]/m,
    /^holdpoint_decisions_total\{kind="postgres",effect="deny"\} 1$/m,
    /^holdpoint_refusals_total\{kind="postgres",code="policy_denied"\} 1$/m,
    /^holdpoint_decision_seconds_count\{kind="http"\} [1-9]/m,
    /^# TYPE holdpoint_hold_wait_seconds histogram$/m,
  ])
    expect(text).toMatch(line);
});

it('is told to stop: what runs finishes, what waits is refused, and the log is closed', async () => {
  const slow = await slowAnswer();
  const lock = await session(running.directUrl);
  await lock.run('BEGIN; LOCK TABLE orders');
  const working = await session(running.agentUrl);
  const statement = working.run('UPDATE orders SET total = 7.77 WHERE id = 1');
  await recorded(running, ({ action }) => JSON.stringify(action).includes('UPDATE orders'));
  const idle = await session(running.agentUrl);
  const heldCall = ask(running.proxyUrl, { method: 'DELETE', url: '/v1/things/2' });
  const callTicket = await onlyPending(running);
  const heldStatement = runOnce(running.agentUrl, 'DELETE FROM payments');
  const [, statementTicket = ''] = await pending(running, 2);

  running.signal('SIGTERM');
  expect(await heldCall).toMatchObject({
    status: 503,
    json: { code: 'draining', ticket: callTicket },
    headers: { 'content-type': 'application/problem+json', 'retry-after': '30' },
  });
  const refused = await heldStatement;
  expect(refused).toMatchObject({ sqlstate: '57P01' });
  expect(JSON.stringify(refused)).toContain(statementTicket);
  // While the rest drains.
  expect(await probe('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('stopping') });
  for (const id of [callTicket, statementTicket])
    expect(await ticketOf(running, id)).toMatchObject({
      state: 'withdrawn',
      closed_reason: 'Holdpoint was stopped while the client was waiting',
    });
  await expect(runOnce(running.agentUrl, 'SELECT 1')).rejects.toThrow();
  await expect(ask(running.proxyUrl, { url: '/v1/late' })).rejects.toThrow();

  slow.finish();
  expect((await slow.answer).text).toBe('begun, finished');
  await lock.run('COMMIT');
  expect(await statement).toEqual({ rows: [] });
  await lock.end();
  expect(await running.exited).toBe(0);
  await Promise.all([working.end(), idle.end()]);

  expect(origin.requests.map(({ target }) => target)).toEqual(['/v1/slow']);
  const records = recordsOf(running);
  expect(records.at(-1)).toMatchObject({ type: 'stopped', detail: { reason: 'SIGTERM' } });
  const outcomes = records.filter(({ type }) => type === 'outcome').slice(-2);
  expect(outcomes.map(({ detail }) => (detail as { status: string }).status)).toEqual([
    'completed',
    'completed',
  ]);
  const verified = await verify(running, '--require-complete');
  expect(verified.code, verified.stdout).toBe(0);
});

it('is told again: it leaves at once, and releases nothing', async () => {
  await running.startAgain();
  expect(await singleValue(running.directUrl, 'SELECT total FROM orders WHERE id = 1')).toBe('7.77');
  const slow = await slowAnswer();
  const held = ask(running.proxyUrl, { method: 'DELETE', url: '/v1/things/3' });
  await onlyPending(running);
  let code: number | null | undefined;
  void running.exited.then((ended) => {
    code = ended;
  });
  // As somebody at a terminal does who has had enough: the first ones are one wish, whoever delivers them.
  running.signal('SIGINT');
  running.signal('SIGINT');
  expect(await held).toMatchObject({ status: 503, json: { code: 'draining' } });
  expect(await probe('/readyz')).toMatchObject({ status: 503 });
  await eventually('the end', () => {
    running.signal('SIGINT');
    return code !== undefined;
  });
  expect(code).toBeNull();
  await expect(slow.answer).rejects.toThrow();
  expect(running.output()).toContain('a second signal');
  expect(origin.requests.map(({ target }) => target)).toEqual(['/v1/slow']);

  await running.startAgain();
  expect(await singleValue(running.directUrl, COUNT)).toBe(PAYMENTS);
  const verified = await verify(running);
  expect(verified.code, verified.stdout).toBe(0);
});
