/**
 * Starting: everything that is in the way is said at once, one clear line each, and nothing is left behind; what is
 * written of references and of files' modes holds.
 */

import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { eventually } from '../support/eventually.ts';
import { holdpoint } from '../support/holdpoint-cli.ts';
import { freePorts } from '../support/ports.ts';
import { type Program, startProgram } from '../support/program.ts';

let home: string;
let taken: Server;
let takenPort: number;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'holdpoint-start-'));
  taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  takenPort = (taken.address() as { port: number }).port;
});

afterAll(async () => {
  taken.close();
  await rm(home, { recursive: true, force: true });
});

interface Written {
  readonly file: string;
  readonly folder: string;
  readonly stateDir: string;
  readonly control: number;
}

/** A configuration without a database, in a folder of its own. */
async function written(name: string, over: (ports: readonly number[]) => object): Promise<Written> {
  const folder = join(home, name);
  await mkdir(folder);
  const ports = await freePorts(4);
  const [control = 0, http = 0] = ports;
  const config = {
    version: 1,
    state_dir: './state',
    agent: { id: 'a', owner: 'dana@example.com', environment: 'test', purpose: 'starting' },
    http: { listen: `127.0.0.1:${http}` },
    control: { listen: `127.0.0.1:${control}` },
    ...over(ports),
  };
  const file = join(folder, 'holdpoint.yaml');
  await writeFile(file, JSON.stringify(config, null, 2));
  return { file, folder, stateDir: join(folder, 'state'), control };
}

/** Runs `start` until it ends by itself: its code, and what it said, a line each. */
async function failedStart({ file }: Written, env: Record<string, string> = {}) {
  const program = startProgram(['start', '--config', file], { env });
  const code = await program.exited;
  const lines = program.output().trimEnd().split('\n');
  return { code, lines };
}

/** Starts, stops, and leaves a log that verifies: nothing of the attempts before is in the way. */
async function startsNow({ file, stateDir, control }: Written): Promise<void> {
  const program = startProgram(['start', '--config', file]);
  await readyAt(control, program);
  program.signal('SIGTERM');
  expect(await program.exited).toBe(0);
  const verified = await holdpoint('audit', 'verify', '--dir', stateDir, '--require-complete');
  expect(verified.stdout).toContain('is as it was signed');
}

function readyAt(port: number, program: Program): Promise<boolean> {
  let gone = false;
  void program.exited.then(() => {
    gone = true;
  });
  return eventually('readiness', async () => {
    if (gone) throw new Error(program.output());
    return (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status === 200;
  });
}

describe('a start that cannot be', () => {
  it('says everything that is wrong with the configuration, with its line, and what the machine has in the way', async () => {
    const wrong = await written('config', () => ({
      http: {
        listen: `127.0.0.1:${takenPort}`,
        upstream: { ca: ['./absent.pem', './absent-too.pem'] },
        credentials: [{ host: 'a' }],
      },
      hold: { wait: { http: 'a while' } },
      surprise: true,
      policy: { bundle: './absent.tar.gz' },
      approvals: { tokens: [{ person: 'stranger@example.com', file: './t' }] },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the configuration's own form of a reference
      store: { url: '${ABSENT_VARIABLE}' },
    }));
    const { code, lines } = await failedStart(wrong);
    expect(code).toBe(2);
    const where = `holdpoint: ${wrong.file}:`;
    // What the machine has in the way comes last: a wrong key does not hide it.
    expect(lines.pop()).toBe(`holdpoint: http.listen: 127.0.0.1:${takenPort} is in use by another process`);
    for (const line of lines) expect(line.startsWith(where), line).toBe(true);
    const said = lines.map((line) => line.slice(where.length).replace(/^\d+: /, ''));
    for (const expected of [
      /^http\.upstream\.ca\[0\]: there is no file .*\/absent\.pem$/,
      /^http\.upstream\.ca\[1\]: there is no file .*\/absent-too\.pem$/,
      /^http\.credentials/,
      /^hold\.wait\.http: expected a duration/,
      /^surprise: unknown key$/,
      /^policy\.bundle: there is no file .*\/absent\.tar\.gz$/,
      /^approvals\.tokens\[0\]\.person: stranger@example\.com is not among/,
      /^store\.url: the environment has no ABSENT_VARIABLE$/,
    ])
      expect(said, said.join('\n')).toContainEqual(expect.stringMatching(expected));
    // Every line is about something else.
    expect(new Set(said.map((line) => line.split(':')[0])).size).toBe(said.length);
    // Nothing was begun.
    await expect(stat(wrong.stateDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says everything that the machine has in the way, and starts once it is gone', async () => {
    const blocked = await written('machine', ([control, , postgres]) => ({
      http: { listen: `127.0.0.1:${takenPort}`, upstream: { ca: ['./ca.pem'] } },
      postgres: [
        { name: 'main', listen: `127.0.0.1:${postgres}`, upstream: 'postgres://127.0.0.1:1' },
        { name: 'far', listen: '192.0.2.1:6432', upstream: 'postgres://127.0.0.1:1' },
      ],
      policy: { bundle: './bundle.tar.gz' },
      approvals: {
        people: [{ id: 'robin@example.com', groups: ['approvers'] }],
        tokens: [{ person: 'robin@example.com', file: './robin.token' }],
      },
      control: { listen: `127.0.0.1:${control}` },
    }));
    const { folder } = blocked;
    await mkdir(blocked.stateDir, { mode: 0o700 });
    await chmod(blocked.stateDir, 0o777);
    await writeFile(join(folder, 'bundle.tar.gz'), 'no archive');
    await writeFile(join(folder, 'robin.token'), 'short', { mode: 0o600 });
    await writeFile(join(folder, 'ca.pem'), 'no certificate');
    const { code, lines } = await failedStart(blocked);
    expect(code).toBe(2);
    for (const line of lines) expect(line.startsWith('holdpoint: '), line).toBe(true);
    for (const expected of [
      /state_dir: .*\/state can be written by others: chmod 0700 it, or choose another$/,
      new RegExp(`http\\.listen: 127\\.0\\.0\\.1:${takenPort} is in use by another process$`),
      /postgres\[1\]\.listen: 192\.0\.2\.1 is not an address of this machine$/,
      /policy: .*bundle\.tar\.gz/,
      /approvals\.tokens: .*robin\.token: expected one bearer token/,
      /http\.upstream\.ca: .*ca\.pem: there is no PEM certificate in it$/,
    ])
      expect(lines, lines.join('\n')).toContainEqual(expect.stringMatching(expected));
    expect(lines).toHaveLength(6);

    expect(await readdir(blocked.stateDir)).toEqual([]);

    // Nothing is held on to: with what was in the way gone, the same directory serves.
    const config = JSON.parse(await readFile(blocked.file, 'utf8'));
    const [http = 0] = await freePorts(1);
    config.http.listen = `127.0.0.1:${http}`;
    await chmod(blocked.stateDir, 0o700);
    config.postgres.pop();
    delete config.policy;
    await writeFile(join(folder, 'robin.token'), 'a-token-that-is-long-enough-to-be-one\n', { mode: 0o600 });
    await writeFile(join(folder, 'ca.pem'), createAuthority().cert);
    await writeFile(blocked.file, JSON.stringify(config));
    await startsNow(blocked);
  });

  it('refuses a log that contradicts its checkpoint, beside whatever else there is, and changes nothing', async () => {
    const changed = await written('changed', () => ({}));
    await startsNow(changed);
    const log = join(changed.stateDir, 'audit.jsonl');
    const good = await readFile(log, 'utf8');
    const bad = good.replace('"started"', '"stopped"');
    await writeFile(log, bad);
    const blocker = createServer().listen(changed.control, '127.0.0.1');
    await once(blocker, 'listening');
    const { code, lines } = await failedStart(changed);
    blocker.close();
    expect(code).toBe(2);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^holdpoint: audit: the audit log is not as it was signed: /);
    expect(lines[1]).toMatch(/^holdpoint: control\.listen: .* is in use by another process$/);
    expect(await readFile(log, 'utf8')).toBe(bad);
    await writeFile(log, good);
    await startsNow(changed);
  });

  it('refuses a second process on the same state directory, which does not disturb the first', async () => {
    const first = await written('first', () => ({}));
    const program = startProgram(['start', '--config', first.file]);
    const [control = 0, http = 0] = await freePorts(2);
    const config = JSON.parse(await readFile(first.file, 'utf8'));
    config.control.listen = `127.0.0.1:${control}`;
    config.http.listen = `127.0.0.1:${http}`;
    const file = join(first.folder, 'second.yaml');
    await writeFile(file, JSON.stringify(config));
    await readyAt(first.control, program);
    const { code, lines } = await failedStart({ ...first, file });
    expect(code).toBe(2);
    expect(lines.join('\n')).toMatch(/^holdpoint: audit: another process is writing this audit log/m);
    expect((await fetch(`http://127.0.0.1:${first.control}/readyz`)).status).toBe(200);
    program.signal('SIGTERM');
    expect(await program.exited).toBe(0);
  });
});
