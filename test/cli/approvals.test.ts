/** `holdpoint approvals` against a running control address, on a real desk. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApprovalsApi } from '../../src/approval/api.ts';
import { tokenHash } from '../../src/approval/people.ts';
import { registerApprovals } from '../../src/cli/approvals.ts';
import { EXIT, failureOf } from '../../src/cli/exit.ts';
import { type ControlListener, startControlListener } from '../../src/server/control/listener.ts';
import {
  type Bench,
  closeBench,
  DIRECTORY,
  held,
  holdRequest,
  MINUTE,
  openBench,
  TOKENS,
} from '../approval/desk-fixture.ts';
import { silentLogger } from '../support/logger.ts';

let bench: Bench;
let control: ControlListener;
let url: string;
let directory: string;

beforeEach(async () => {
  bench = await openBench();
  control = await startControlListener({
    listen: { host: '127.0.0.1', port: 0 },
    api: createApprovalsApi({
      desk: bench.desk,
      people: DIRECTORY,
      operatorTokenHash: tokenHash('operator-token-of-this-state-dir'),
      logger: silentLogger,
    }),
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: async () => ({ contentType: 'text/plain', body: '' }),
    logger: silentLogger,
  });
  url = `http://127.0.0.1:${control.address.port}`;
  directory = mkdtempSync(join(tmpdir(), 'holdpoint-cli-'));
});
afterEach(async () => {
  await control.drain();
  await closeBench(bench);
  rmSync(directory, { recursive: true, force: true });
});

/** What the shell sees. Without a token of its own it takes Alice’s, from the environment. */
async function run(args: string[], env: Record<string, string | undefined> = {}) {
  let out = '';
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  const surroundings = { HOLDPOINT_URL: url, HOLDPOINT_TOKEN: TOKENS.alice, ...env };
  registerApprovals(program, {
    env: surroundings,
    write: (text) => {
      out += text;
    },
  });
  for (const group of program.commands) for (const command of group.commands) command.exitOverride();
  try {
    await program.parseAsync(['approvals', ...args], { from: 'user' });
    return { code: EXIT.done, out, lines: [] as readonly string[] };
  } catch (error) {
    if (error instanceof CommanderError) return { code: EXIT.usage, out, lines: [error.message] };
    return { ...failureOf(error), out };
  }
}

describe('holdpoint approvals', () => {
  it('lists what is pending, and other states when asked', async () => {
    const first = await held(bench.desk, holdRequest('one'));
    await held(bench.desk, holdRequest('two'));
    await first.leave('the client went away');
    const { code, out } = await run(['list']);
    expect(code).toBe(EXIT.done);
    expect(out).toMatch(/^TICKET +STATE +EXPIRES +AGENT +OWNER +ACTION\n/);
    expect(out.trim().split('\n')).toHaveLength(2);
    expect(out).toMatch(
      /pending +2026-11-23T09:15:00Z +billing-bot +Dana@Example\.com +SELECT reading customers/,
    );
    expect((await run(['list', '--state', 'all'])).out).toContain('withdrawn');
    expect((await run(['list', '--state', 'denied'])).out).toBe('Nothing here.\n');
    expect((await run(['list', '--state', 'all', '--limit', '1'])).out).toContain('There are more');
    expect((await run(['list', '--state', 'open'])).code).toBe(EXIT.usage);
    expect((await run(['list', '--limit', '201'])).code).toBe(EXIT.usage);
    const { tickets } = JSON.parse((await run(['list', '--json', '--state', 'withdrawn'])).out);
    expect(tickets).toMatchObject([{ id: first.ticket.id, state: 'withdrawn' }]);
  });

  it('shows the whole action, who asks, for whom, why, and its digest', async () => {
    const text = `SELECT *\nFROM customers -- ${'x'.repeat(5_000)}`;
    const { ticket } = await held(bench.desk, holdRequest(text));
    const { out } = await run(['show', ticket.id.toLowerCase()]);
    for (const line of text.split('\n')) expect(out).toContain(`  │ ${line}\n`);
    expect(out).toContain(`${ticket.id}  pending`);
    expect(out).toMatch(/agent +billing-bot \(production\)\n/);
    expect(out).toMatch(/owner +Dana@Example\.com\n/);
    expect(out).toMatch(/purpose +nightly reconciliation\n/);
    expect(out).toMatch(/database +app\n/);
    expect(out).toMatch(/because +reads all of customers \[high, postgres\.bulk_export\]\n/);
    expect(out).toMatch(/needs +1 of data-owners \(0 so far\)\n/);
    expect(out).toContain(ticket.fingerprint.exact);
    expect(JSON.parse((await run(['show', 'latest', '--json'])).out).display.text).toBe(text);
  });

  it('shows escape sequences and hidden text rather than obeying them', async () => {
    const text = 'SELECT 1\u001b[2J\u001b]0;owned\u0007\r\n  owner  alice\u202e\u200b\u009b31m';
    const odd = holdRequest(text, {
      display: { title: 'a\u001b[31m\nb', text, fields: [{ name: 'data\u001bbase', value: 'x\ny' }] },
    });
    const { ticket } = await held(bench.desk, odd);
    const human = (await run(['show', ticket.id])).out;
    const machine = (await run(['show', ticket.id, '--json'])).out;
    for (const out of [human, machine, (await run(['list'])).out, (await run(['list', '--json'])).out])
      expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(human).toContain(
      '  │ SELECT 1\\u001b[2J\\u001b]0;owned\\u0007\\u000d\n  │   owner  alice\\u202e\\u200b\\u009b31m\n',
    );
    expect(human).toContain('  a\\u001b[31m\\nb\n');
    expect(JSON.parse(machine).display.text).toBe(text);
  });

  it('approves the newest in the person’s own name', async () => {
    const older = await held(bench.desk, holdRequest('older'));
    bench.clock.advance(MINUTE);
    const newer = await held(bench.desk, holdRequest('newer'));
    const { code, out } = await run(['approve', 'latest', '--reason', 'for the audit']);
    expect(code).toBe(EXIT.done);
    expect(out).toMatch(/approved by +alice@example\.com, api, 2026-11-23T09:01:00\.000Z: for the audit\n/);
    expect(await newer.release()).toBe(true);
    expect(await older.release()).toBe(false);
  });

  it('denies with a reason', async () => {
    const hold = await held(bench.desk);
    const { code, out } = await run(['deny', hold.ticket.id, '--reason', 'ask for less', '--json']);
    expect([code, JSON.parse(out).state]).toEqual([EXIT.done, 'denied']);
    expect(await hold.settled).toMatchObject({
      state: 'denied',
      reason: 'ask for less',
      by: 'alice@example.com',
    });
  });

  it.each([
    ['the owner', TOKENS.dana, 'Nobody approves their own request'],
    ['a stranger', TOKENS.mallory, 'Not a reviewer for this'],
    ['nobody known', 'some-other-token', 'Who are you?'],
    ['the operator', 'operator-token-of-this-state-dir', 'Not yours to do'],
  ])('says no to %s, with exit code 1', async (_, token, title) => {
    const { ticket } = await held(bench.desk);
    const { code, lines } = await run(['approve', ticket.id], { HOLDPOINT_TOKEN: token });
    expect(code).toBe(EXIT.no);
    expect(lines[0]).toContain(title);
    expect((await bench.desk.get(ticket.id))?.state).toBe('pending');
  });

  it('says no to an answer that is late, or to what is not there', async () => {
    const hold = await held(bench.desk);
    await hold.leave('the client went away');
    expect(await run(['approve', hold.ticket.id])).toMatchObject({ code: EXIT.no });
    expect(await run(['show', 'HP-00000000'])).toMatchObject({ code: EXIT.no });
    expect(await run(['show', '../../../healthz'])).toMatchObject({ code: EXIT.no });
    expect(await run(['approve', 'latest'])).toMatchObject({
      code: EXIT.no,
      lines: ['nothing is waiting for approval'],
    });
  });

  it('takes the token from an option, a file, or the environment, in this order', async () => {
    const { ticket } = await held(bench.desk);
    const file = join(directory, 'carol.token');
    writeFileSync(file, `${TOKENS.carol}\n`);
    const by = async (...args: string[]) => (await run(['approve', ticket.id, ...args])).lines[0];
    expect(await by('--token', TOKENS.dana ?? '', '--token-file', file)).toContain('dana@example.com');
    expect(await by('--token-file', file)).toContain('carol@example.com');
    expect((await run(['approve', ticket.id, '--token-file', join(directory, 'none')])).code).toBe(
      EXIT.usage,
    );
    expect((await run(['approve', ticket.id], { HOLDPOINT_TOKEN: undefined })).code).toBe(EXIT.usage);
    expect((await run(['approve', ticket.id])).code).toBe(EXIT.done);
  });

  it('finds the address in a configuration, and reads with its operator token, but never answers with it', async () => {
    const config = join(directory, 'holdpoint.yaml');
    writeFileSync(join(directory, 'operator.token'), 'operator-token-of-this-state-dir\n');
    writeFileSync(
      config,
      [
        'version: 1',
        `state_dir: ${directory}`,
        'agent: { id: billing-bot, owner: dana@example.com, environment: test, purpose: none }',
        'http: { listen: 127.0.0.1:3128 }',
        `control: { listen: 0.0.0.0:${control.address.port} }`,
      ].join('\n'),
    );
    const env = { HOLDPOINT_URL: undefined, HOLDPOINT_TOKEN: undefined };
    const { ticket } = await held(bench.desk);
    const shown = await run(['list', '--config', config], env);
    expect(shown.lines).toEqual([]);
    expect(shown.out).toContain(ticket.id);
    expect((await run(['approve', ticket.id, '--config', config], env)).code).toBe(EXIT.usage);
    expect(
      (await run(['approve', ticket.id, '--config', config], { ...env, HOLDPOINT_TOKEN: TOKENS.alice })).code,
    ).toBe(EXIT.done);
  });

  it('tells unreachable, wrong and misused apart', async () => {
    expect(await run(['list', '--url', 'ftp://127.0.0.1'])).toMatchObject({ code: EXIT.usage });
    expect(await run(['list', '--url', 'nonsense'])).toMatchObject({ code: EXIT.usage });
    expect(await run(['deny', 'latest', '--why', 'x'])).toMatchObject({ code: EXIT.usage });
    await held(bench.desk);
    expect(await run(['deny', 'latest', '--reason', 'x'.repeat(1_001)])).toMatchObject({ code: EXIT.usage });
    bench.evidence.failing = true;
    expect(await run(['approve', 'latest'])).toMatchObject({ code: EXIT.fault });
    await control.drain();
    expect(await run(['list'])).toMatchObject({
      code: EXIT.fault,
      lines: [expect.stringContaining(`${url} cannot be reached`)],
    });
  });

  it('follows no redirect, and believes nobody who does not speak as Holdpoint', async () => {
    let asked = 0;
    const other = createServer((request, response) => {
      asked += 1;
      if (request.url?.startsWith('/api')) response.writeHead(307, { location: `${url}/api/v1/approvals` });
      response.end('<html>');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    expect(await run(['list', '--url', elsewhere])).toMatchObject({ code: EXIT.fault });
    expect(await run(['list', '--url', `${elsewhere}/page`])).toMatchObject({ code: EXIT.fault });
    expect(asked).toBe(2);
    await new Promise((resolve) => other.close(resolve));
  });
});
