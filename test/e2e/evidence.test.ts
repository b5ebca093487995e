/**
 * What is left behind: for each way an action can go, its records in order, written before the upstream saw anything,
 * and no secret in any of it.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SlackStandIn, startSlackStandIn } from '../stand-ins/slack/stand-in.ts';
import { decideTicket } from '../support/control-api.ts';
import { type Running, startHoldpoint } from '../support/running.ts';
import { ask } from './http-agent.ts';
import { KNOWN, type Origin, startOrigin } from './origin.ts';
import { type AuditRecord, recorded, recordsOf, verify } from './records.ts';
import { runOnce, session } from './sql-agent.ts';
import { onlyPending } from './tickets.ts';

let origin: Origin;
let slack: SlackStandIn;
let running: Running;

beforeAll(async () => {
  origin = await startOrigin();
  slack = await startSlackStandIn({ users: [{ id: 'U0ROBIN', name: 'robin', email: 'robin@example.com' }] });
  running = await startHoldpoint({
    people: { 'robin@example.com': { slack: 'U0ROBIN' } },
    config: {
      http: { upstream: { resolve: origin.resolve } },
      log: { level: 'debug' },
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
});

beforeEach(() => {
  origin.requests.length = 0;
  origin.answer = (_, response) => void response.writeHead(200).end('{}');
});

afterAll(async () => {
  await running.terminate();
  const verified = await verify(running, '--require-complete');
  await running.stop();
  await slack.stop();
  await origin.stop();
  expect(verified.code, verified.stdout).toBe(0);
});

const mentions = (record: AuditRecord, text: string): boolean => JSON.stringify(record.action).includes(text);
/** Type and, of decisions, the effect. */
const inShort = (records: readonly AuditRecord[]): string[] =>
  records.map(({ type, policy }) => (type === 'decision' ? `decision ${policy?.effect}` : type));
const ofTicket = (ticket: string): AuditRecord[] =>
  recordsOf(running).filter((record) => record.ticket === ticket);
const decide = (ticket: string, decision: 'approve' | 'deny', reason: string) =>
  decideTicket(running, running.reviewer, ticket, { decision, reason });

describe('an allowed action', () => {
  it('is on record before the server works on it, and its outcome after', async () => {
    const lock = await session(running.directUrl);
    await lock.run('BEGIN; LOCK TABLE orders');
    const statement = runOnce(running.agentUrl, 'UPDATE orders SET total = 1.25 WHERE id = $1', [3]);
    const decision = await recorded(running, (record) => mentions(record, 'UPDATE orders'));
    expect(decision).toMatchObject({
      v: 1,
      type: 'decision',
      agent: 'demo-agent',
      kind: 'postgres',
      action: { database: 'app', user: 'agent', text: 'UPDATE orders SET total = … WHERE id = $1' },
      fingerprint: { exact: expect.stringMatching(/\w{16,}/), shape: expect.stringMatching(/\w{16}/) },
      policy: { effect: 'allow', rules: [{ id: expect.any(String) }] },
      ticket: null,
      detail: { mode: 'enforce' },
    });
    const outcomeOf = (record: AuditRecord) => record.type === 'outcome' && record.id === decision.id;
    expect(recordsOf(running).some(outcomeOf)).toBe(false);
    await lock.run('COMMIT');
    await lock.end();
    expect(await statement).toEqual({ rows: [] });
    const outcome = await recorded(running, outcomeOf);
    expect(outcome).toMatchObject({ agent: 'demo-agent', detail: { status: 'completed' } });
    expect(outcome.seq).toBeGreaterThan(decision.seq);
    expect(outcome.time >= decision.time).toBe(true);
  });

  it('is on record when the origin sees its first octet', async () => {
    let seen: AuditRecord[] = [];
    origin.answer = (_, response) => {
      seen = recordsOf(running).filter((record) => mentions(record, '/v1/allowed'));
      response.writeHead(201).end('made');
    };
    const { status } = await ask(running.proxyUrl, { method: 'POST', url: '/v1/allowed', body: '{}' });
    expect(status).toBe(201);
    expect(inShort(seen)).toEqual(['decision allow']);
    const outcome = await recorded(running, ({ id, type }) => type === 'outcome' && id === seen[0]?.id);
    expect(outcome).toMatchObject({
      detail: { status: 'completed', http_status: 201, request_bytes: 2, response_bytes: 4 },
    });
  });
});

describe('a held action', () => {
  it('that is approved has its asking, its answer and its release on record before it runs', async () => {
    const statement = runOnce(running.agentUrl, 'UPDATE payments SET amount = 5.5 WHERE id = 5');
    const ticket = await onlyPending(running);
    await decide(ticket, 'approve', 'agreed');
    expect(await statement).toEqual({ rows: [] });
    await recorded(running, (record) => record.type === 'outcome' && record.ticket === ticket);
    const records = ofTicket(ticket);
    expect(inShort(records)).toEqual([
      'hold_opened',
      'decision hold',
      'approval',
      'hold_closed',
      'decision hold',
      'outcome',
    ]);
    const [opened, asked, approval, closed, released, outcome] = records;
    expect(opened).toMatchObject({ detail: { owner: 'dana@example.com', requirements: [{ quorum: 1 }] } });
    expect(approval?.detail).toMatchObject({
      person: 'robin@example.com',
      decision: 'approve',
      reason: 'agreed',
      via: 'api',
      outcome: 'counted',
    });
    expect(closed?.detail).toMatchObject({ state: 'released', approvers: ['robin@example.com'] });
    expect(released?.detail).toMatchObject({ phase: 'release' });
    expect(outcome?.detail).toMatchObject({ status: 'completed' });
    expect(new Set([asked?.id, opened?.id, released?.id, outcome?.id]).size).toBe(1);
    expect(released?.fingerprint).toEqual(asked?.fingerprint);
  });

  it('that is denied has no outcome', async () => {
    const call = ask(running.proxyUrl, { method: 'DELETE', url: '/v1/denied' });
    const ticket = await onlyPending(running);
    await decide(ticket, 'deny', 'keep it');
    expect(await call).toMatchObject({
      status: 403,
      json: { code: 'hold_denied', detail: expect.stringContaining('keep it') },
    });
    expect(inShort(ofTicket(ticket))).toEqual(['hold_opened', 'decision hold', 'approval', 'hold_closed']);
    expect(origin.requests).toEqual([]);
  });
});

it('has one record of a denied action, with the rule that denied it', async () => {
  expect(await runOnce(running.agentUrl, 'DROP TABLE payments')).toMatchObject({ sqlstate: '42501' });
  const about = recordsOf(running).filter((record) => mentions(record, 'DROP TABLE'));
  expect(inShort(about)).toEqual(['decision deny']);
  expect(about[0]?.policy?.rules).toEqual([
    expect.objectContaining({
      severity: expect.any(String),
      controls: expect.arrayContaining([expect.any(String)]),
    }),
  ]);
});

it('has no secret in it: not in the log, the store, the process’s own log, or on a card', async () => {
  const secrets = {
    literal: 'hunter2-in-a-literal',
    header: 'sk-live-in-a-header-4711',
    query: 'secret-in-the-query-4712',
    body: 'secret-in-the-body-4713',
    cookie: 'secret-in-a-cookie-4714',
  };
  const role = runOnce(running.agentUrl, `CREATE ROLE robot LOGIN PASSWORD '${secrets.literal}'`);
  await decide(await onlyPending(running), 'deny', 'no');
  expect(await role).toMatchObject({ sqlstate: '42501' });
  const call = ask(running.proxyUrl, {
    method: 'DELETE',
    url: `/v1/things?access_token=${secrets.query}`,
    headers: {
      authorization: `Bearer ${secrets.header}`,
      cookie: `session=${secrets.cookie}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ password: secrets.body }),
  });
  const ticket = await onlyPending(running);
  await decide(ticket, 'approve', 'yes');
  expect((await call).status).toBe(200);
  // It went upstream whole: only what is kept and shown was redacted.
  expect(origin.requests[0]).toMatchObject({
    target: `/v1/things?access_token=${secrets.query}`,
    headers: { authorization: `Bearer ${secrets.header}` },
  });
  await recorded(running, (record) => record.type === 'outcome' && record.ticket === ticket);
  await slack.waitForMessage(
    ({ text, blocks, edits }) => edits > 0 && (text + JSON.stringify(blocks)).includes(ticket),
  );

  const kept = new Map<string, string>([
    ['its own log', running.output()],
    ['Slack', JSON.stringify([slack.messages(), slack.calls(), slack.ephemerals()])],
  ]);
  for (const name of await readdir(running.stateDir))
    kept.set(name, (await readFile(join(running.stateDir, name))).toString('latin1'));
  expect([...kept.keys()]).toEqual(expect.arrayContaining(['audit.jsonl', 'holdpoint.db']));
  expect(kept.get('Slack')).toContain(ticket);
  const all = { ...secrets, reviewer: running.reviewer.token, bot: slack.botToken, app: slack.appToken };
  for (const [where, text] of kept)
    for (const [which, secret] of Object.entries(all))
      expect(text.includes(secret), `${which} is in ${where}`).toBe(false);
});
