/**
 * Holding, with everybody at the table: identical requests share a ticket and each needs a release of its own, who
 * leaves withdraws, and nobody approves their own request through any door.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SlackStandIn, startSlackStandIn } from '../stand-ins/slack/stand-in.ts';
import { decideTicket } from '../support/control-api.ts';
import { eventually } from '../support/eventually.ts';
import { holdpoint } from '../support/holdpoint-cli.ts';
import { type Running, startHoldpoint } from '../support/running.ts';
import { ask } from './http-agent.ts';
import { KNOWN, type Origin, startOrigin } from './origin.ts';
import { recordsOf } from './records.ts';
import { cancel, cut, runOnce, session, singleValue } from './sql-agent.ts';
import { inState, onlyPending, ticketOf, ticketsIn } from './tickets.ts';

const OWNER_SLACK = 'U0DANA';
const REVIEWER_SLACK = 'U0ROBIN';

let origin: Origin;
let slack: SlackStandIn;
let running: Running;

beforeAll(async () => {
  origin = await startOrigin();
  slack = await startSlackStandIn({
    users: [
      { id: OWNER_SLACK, name: 'dana', email: 'dana@example.com' },
      { id: REVIEWER_SLACK, name: 'robin', email: 'robin@example.com' },
    ],
  });
  running = await startHoldpoint({
    people: { 'dana@example.com': { slack: OWNER_SLACK }, 'robin@example.com': { slack: REVIEWER_SLACK } },
    config: {
      http: { upstream: { resolve: origin.resolve } },
      approvals: {
        slack: {
          mode: 'socket',
          api_url: slack.apiUrl,
          bot_token: slack.botToken,
          app_token: slack.appToken,
          channel: '#approvals',
        },
      },
    },
    data: KNOWN,
  });
  await slack.waitForConnections(1);
});

beforeEach(() => {
  origin.requests.length = 0;
});

afterAll(async () => {
  await running.stop();
  await slack.stop();
  await origin.stop();
  expect(slack.faults()).toEqual([]);
});

const remove = (url: string, signal?: AbortSignal) =>
  ask(running.proxyUrl, { method: 'DELETE', url, ...(signal && { signal }) });
const decide = (ticket: string, decision: 'approve' | 'deny') =>
  decideTicket(running, running.reviewer, ticket, { decision });

/** Each request leaves a decision of its own under the ticket that it waits for. */
const bothJoined = (ticket: string) =>
  eventually('both to wait', () => {
    const decisions = recordsOf(running).filter(
      (record) => record.type === 'decision' && record.ticket === ticket,
    );
    return decisions.length === 2;
  });

describe('two identical requests at once', () => {
  it('share a ticket; an approval lets one call through, and the other asks anew', async () => {
    const calls = [remove('/v1/twice'), remove('/v1/twice')];
    const first = await onlyPending(running);
    await bothJoined(first);
    expect((await decide(first, 'approve')).status).toBe(200);
    const one = await Promise.race(
      calls.map((call, index) => call.then(({ status }) => ({ index, status }))),
    );
    expect(one.status).toBe(200);
    const second = await onlyPending(running);
    expect(second).not.toBe(first);
    expect(origin.requests).toHaveLength(1);
    expect((await decide(second, 'deny')).status).toBe(200);
    expect(await calls[1 - one.index]).toMatchObject({
      status: 403,
      json: { code: 'hold_denied', ticket: second },
    });
    expect(origin.requests).toHaveLength(1);
    expect(await ticketOf(running, first)).toMatchObject({ state: 'released' });
  });

  it('share a ticket; an approval lets one statement run, and the other asks anew', async () => {
    const sql = 'UPDATE payments SET amount = amount + 1 WHERE id = 2';
    const amount = async () =>
      Number(await singleValue(running.directUrl, 'SELECT amount FROM payments WHERE id = 2'));
    const before = await amount();
    const statements = [runOnce(running.agentUrl, sql), runOnce(running.agentUrl, sql)];
    const first = await onlyPending(running);
    await bothJoined(first);
    await decide(first, 'approve');
    const one = await Promise.race(statements.map((statement, index) => statement.then(() => index)));
    expect(await statements[one]).toEqual({ rows: [] });
    const second = await onlyPending(running);
    expect(second).not.toBe(first);
    expect(await amount()).toBeCloseTo(before + 1);
    await decide(second, 'approve');
    expect(await statements[1 - one]).toEqual({ rows: [] });
    expect(await amount()).toBeCloseTo(before + 2);
  });
});

describe('whoever goes away while waiting', () => {
  const withdrawn = async (ticket: string): Promise<void> => {
    await inState(running, ticket, 'withdrawn');
    const late = await decide(ticket, 'approve');
    expect(late).toMatchObject({ status: 409, body: { code: 'already_closed', state: 'withdrawn' } });
    const card = await slack.waitForMessage(
      ({ text, blocks, edits }) => edits > 0 && (text + JSON.stringify(blocks)).includes(ticket),
    );
    expect(card.blocks.some(({ type }) => type === 'actions')).toBe(false);
  };

  it('withdraws a call', async () => {
    const leaving = new AbortController();
    const call = remove('/v1/left', leaving.signal);
    const ticket = await onlyPending(running);
    leaving.abort();
    await expect(call).rejects.toThrow();
    await withdrawn(ticket);
    expect(origin.requests).toEqual([]);
  });

  it('withdraws a statement', async () => {
    const agent = await session(running.agentUrl);
    const statement = agent.run('DELETE FROM payments');
    const ticket = await onlyPending(running);
    cut(agent);
    await withdrawn(ticket);
    await statement;
    expect(await singleValue(running.directUrl, 'SELECT count(*)::int FROM payments')).toBe(5000);
  });

  it('withdraws a statement by a cancel request, and keeps the session', async () => {
    const agent = await session(running.agentUrl);
    const statement = agent.run('DELETE FROM payments');
    const ticket = await onlyPending(running);
    await cancel(agent, running.agentUrl);
    expect(await statement).toMatchObject({ sqlstate: '57014' });
    await withdrawn(ticket);
    expect(await agent.run('SELECT 1 AS one')).toEqual({ rows: [{ one: 1 }] });
    await agent.end();
    expect(await singleValue(running.directUrl, 'SELECT count(*)::int FROM payments')).toBe(5000);
  });
});

describe('the owner of the agent', () => {
  const refusals = (ticket: string) =>
    recordsOf(running)
      .filter((record) => record.type === 'approval' && record.ticket === ticket)
      .map(({ detail }) => detail as Record<string, unknown>);

  it('cannot approve over the API, in the terminal, or in Slack; nor can the operator', async () => {
    const { owner, controlUrl, stateDir } = running;
    const call = remove('/v1/own');
    const ticket = await onlyPending(running);

    const overApi = await decideTicket(running, owner, ticket, { decision: 'approve' });
    expect(overApi).toMatchObject({
      status: 403,
      body: { code: 'self_approval', detail: expect.stringContaining('nobody answers their own request') },
    });
    const inTerminal = await holdpoint(
      ...['approvals', 'approve', ticket, '--url', controlUrl, '--token', owner.token],
    );
    expect(inTerminal).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('nobody answers their own request'),
    });
    const card = await slack.waitForMessage(({ text, blocks }) =>
      (text + JSON.stringify(blocks)).includes(ticket),
    );
    await slack.click({ user: OWNER_SLACK, action: 'Approve', message: card });
    const told = await slack.waitForEphemeral(({ user }) => user === OWNER_SLACK);
    expect(told.text).toContain('nobody answers their own request');

    const token = (await readFile(join(stateDir, 'operator.token'), 'utf8')).trim();
    const operator = { id: 'operator', token };
    expect(await decideTicket(running, operator, ticket, { decision: 'approve' })).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: expect.stringContaining('names no person') },
    });
    expect(
      (await decideTicket(running, { ...owner, token: 'x'.repeat(32) }, ticket, { decision: 'approve' }))
        .status,
    ).toBe(401);

    expect(refusals(ticket)).toEqual(
      ['api', 'api', 'slack'].map((via) => ({
        person: owner.id,
        decision: 'approve',
        reason: null,
        via,
        outcome: 'refused',
        state: 'pending',
        refused: 'self_approval',
      })),
    );
    expect(await ticketsIn(running, 'pending')).toHaveLength(1);
    expect(origin.requests).toEqual([]);

    await slack.click({ user: REVIEWER_SLACK, action: 'Approve', message: card });
    expect((await call).status).toBe(200);
    expect(origin.requests).toHaveLength(1);
    expect(refusals(ticket).at(-1)).toMatchObject({
      person: running.reviewer.id,
      via: 'slack',
      outcome: 'counted',
    });
  });
});
