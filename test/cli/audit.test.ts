/** `holdpoint audit`, as a shell would call it: what it prints, and how it ends. */

import { appendFileSync, copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { registerAudit } from '../../src/cli/audit.ts';
import { failureOf } from '../../src/cli/exit.ts';
import {
  decision,
  openLog,
  pathIn,
  read,
  temporaryDirectory,
  write,
  writtenLog,
} from '../audit/sample-log.ts';

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What the command that runs has printed so far. */
let out = '';

async function holdpoint(words: readonly string[], stateDir = '/nowhere'): Promise<Ended> {
  const program = new Command('holdpoint').exitOverride();
  registerAudit(program, { stateDirOf: async () => stateDir });
  out = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    out += String(chunk);
    return true;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return { code: 0, out, err: '' };
  } catch (error) {
    const { code, lines } = failureOf(error);
    return { code, out, err: lines.join('\n') };
  } finally {
    spy.mockRestore();
  }
}

function flip(directory: string, at: number): void {
  const octets = read(directory, 'records');
  octets[at] = (octets[at] ?? 0) ^ 0x01;
  write(directory, 'records', octets);
}

describe('holdpoint audit verify', () => {
  it('ends with 0 for a log as it was signed, found by directory, by file or by configuration', async () => {
    const directory = await writtenLog(5);
    for (const words of [['--dir', directory], [pathIn(directory, 'records')]]) {
      const { code, out } = await holdpoint(['audit', 'verify', ...words]);
      expect(code).toBe(0);
      expect(out).toContain('is as it was signed');
      expect(out).toContain('records      5, 5 of them covered by a checkpoint');
      expect(out).toContain('give --key to rely on one that you kept');
    }
    expect(await holdpoint(['audit', 'verify', '--config', 'holdpoint.yaml'], directory)).toMatchObject({
      code: 0,
    });
  });

  it('ends with 1 for one that is not, and names the first bad record', async () => {
    const directory = await writtenLog(5);
    const key = read(directory, 'publicKey').toString().trim();
    flip(directory, read(directory, 'records').indexOf('"seq":2') + 40);
    const { code, out } = await holdpoint(['audit', 'verify', '--dir', directory, '--key', key]);
    expect(code).toBe(1);
    expect(out).toContain('is NOT as it was signed');
    expect(out).toMatch(/wrong +record 2: changed/);
    expect(out).not.toContain('give --key');
  });

  it('gives the verdict as JSON', async () => {
    const directory = await writtenLog(5);
    const good = await holdpoint(['audit', 'verify', '--dir', directory, '--json']);
    expect(JSON.parse(good.out)).toMatchObject({ ok: true, records: 5, covered: 5, firstBad: null });
    flip(directory, 10);
    const bad = await holdpoint(['audit', 'verify', '--dir', directory, '--json']);
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({ ok: false, firstBad: { seq: 0, through: 0 } });
  });

  it('holds a copy of the records against the checkpoints that stayed', async () => {
    const directory = await writtenLog(5);
    const copy = join(temporaryDirectory(), 'changed.jsonl');
    copyFileSync(pathIn(directory, 'records'), copy);
    const words = ['audit', 'verify', copy, '--checkpoints', pathIn(directory, 'checkpoints')];
    expect(await holdpoint(words)).toMatchObject({ code: 0 });
    appendFileSync(copy, 'x\n');
    expect(await holdpoint(words)).toMatchObject({ code: 1, out: expect.stringContaining('record 5:') });
  });

  it('reports what is not covered yet, and fails for it when told to', async () => {
    const { log, directory } = await openLog();
    await log.append(decision('0'), { durable: true });
    await log.append(decision('1'));
    while (!read(directory, 'checkpoints').toString().includes('\n1\n'))
      await new Promise((done) => setImmediate(done));
    expect(await holdpoint(['audit', 'verify', '--dir', directory])).toMatchObject({
      code: 0,
      out: expect.stringContaining('1 record after the last checkpoint is not covered by a signature'),
    });
    expect(await holdpoint(['audit', 'verify', '--dir', directory, '--require-complete'])).toMatchObject({
      code: 1,
    });
    await log.close();
  });

  it('holds it against checkpoints kept elsewhere', async () => {
    const directory = await writtenLog(8);
    const witness = join(temporaryDirectory(), 'kept');
    copyFileSync(pathIn(directory, 'checkpoints'), witness);
    const words = ['audit', 'verify', '--dir', directory, '--witness', witness];
    expect(await holdpoint(words)).toMatchObject({ code: 0 });
    rmSync(pathIn(directory, 'leaves'));
    write(
      directory,
      'records',
      read(directory, 'records').toString().split('\n').slice(0, 4).join('\n').concat('\n'),
    );
    write(
      directory,
      'checkpoints',
      `${read(directory, 'checkpoints').toString().split('\n\n').slice(0, 2).join('\n\n')}\n\n`,
    );
    expect(await holdpoint(words.slice(0, 4))).toMatchObject({ code: 0 });
    expect(await holdpoint(words)).toMatchObject({ code: 1, out: expect.stringContaining('removed') });
  });

  it.each([
    ['no log named', []],
    ['two logs named', ['a.jsonl', '--dir', 'b']],
    ['no log there', ['--dir', '/nowhere']],
    ['a key that is none', ['{dir}', '--key', 'nonsense']],
    ['no key', ['{dir}', '{nokey}']],
  ])('ends with 2 for %s', async (_, words) => {
    const directory = await writtenLog(1);
    if (words.includes('{nokey}')) rmSync(pathIn(directory, 'publicKey'));
    const given = words
      .filter((word) => word !== '{nokey}')
      .map((word) => (word === '{dir}' ? pathIn(directory, 'records') : word));
    const { code, err } = await holdpoint(['audit', 'verify', ...given]);
    expect(code).toBe(2);
    expect(err).not.toBe('');
  });
});

describe('holdpoint audit tail', () => {
  it('shows the last records, one readable line each', async () => {
    const directory = await writtenLog(12);
    const { code, out } = await holdpoint(['audit', 'tail', '--dir', directory, '-n', '2']);
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      "2026-01-02T03:04:05.000Z  #10  decision  ALLOW  billing-bot  SELECT * FROM orders WHERE id = '…'  [postgres.read]  mode=enforce",
      "2026-01-02T03:04:05.000Z  #11  decision  ALLOW  billing-bot  SELECT * FROM orders WHERE id = '…'  [postgres.read]  mode=enforce",
      '',
    ]);
    expect((await holdpoint(['audit', 'tail', '--dir', directory])).out.split('\n')).toHaveLength(11);
    expect(
      (await holdpoint(['audit', 'tail', '--dir', directory, '-n', '100'])).out.split('\n'),
    ).toHaveLength(13);
    expect((await holdpoint(['audit', 'tail', '--dir', directory, '-n', '0'])).out).toBe('');
  });

  it('shows them as they are in the log with --json', async () => {
    const directory = await writtenLog(3);
    const { out } = await holdpoint(['audit', 'tail', '--dir', directory, '--json']);
    expect(out).toBe(read(directory, 'records').toString());
  });

  it('lets nothing steer the terminal, and shows lines that are no records for what they are', async () => {
    const { log, directory } = await openLog({ capture: 'full' });
    await log.append(decision('0', { action: { text: 'a\x1b[2J\nb\u202ec' } }));
    await log.close();
    appendFileSync(pathIn(directory, 'records'), 'no \x07record\n');
    const { out } = await holdpoint(['audit', 'tail', '--dir', directory]);
    expect(out).toContain('a\\u{1b}[2J b\\u{202e}c');
    expect(out).toContain('? no \\u{7}record\n');
  });

  it('finds its place in a log longer than it reads at once', async () => {
    const { log, directory } = await openLog({ capture: 'full' });
    for (let index = 0; index < 40; index += 1)
      void log.append(decision(`${index}`, { action: { text: 'é'.repeat(4_000) } }));
    await log.close();
    const { out } = await holdpoint(['audit', 'tail', '--dir', directory, '-n', '30', '--json']);
    const ids = out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual(Array.from({ length: 30 }, (_, index) => String(index + 10)));
  });

  it('goes on with what is added when it follows', async () => {
    const { log, directory } = await openLog();
    await log.append(decision('0'));
    const followed = holdpoint(['audit', 'tail', '--dir', directory, '-f', '--json', '-n', '1']);
    await vi.waitFor(() => expect(process.listenerCount('SIGINT')).toBeGreaterThan(0));
    await log.append(decision('1'));
    await vi.waitFor(() => expect(out).toContain('"seq":1'), { timeout: 10_000 });
    process.emit('SIGINT');
    expect(await followed).toMatchObject({ code: 0 });
    expect(out).toBe(read(directory, 'records').toString());
    await log.close();
  });

  it.each([
    ['no log there', ['--dir', '/nowhere']],
    ['a count that is none', ['{dir}', '-n', 'ten']],
  ])('ends with 2 for %s', async (_, words) => {
    const directory = await writtenLog(1);
    const given = words.map((word) => (word === '{dir}' ? pathIn(directory, 'records') : word));
    expect(await holdpoint(['audit', 'tail', ...given])).toMatchObject({ code: 2 });
  });
});
