/** The writer: order, what a resolved append means, durability, checkpoints, and what it does when the disk will not. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { machineClock } from '../../src/app/machine.ts';
import { filedNotes, openCheckpoint } from '../../src/audit/checkpoint.ts';
import { leafHash, rootOf } from '../../src/audit/merkle.ts';
import { parseVerifierKey } from '../../src/audit/note.ts';
import { Fault } from '../../src/core/errors.ts';
import { draft } from '../../src/core/record.ts';
import {
  copyOf,
  decision,
  openLog,
  pathIn,
  read,
  recordsIn,
  temporaryDirectory,
  verifyIn,
  write,
  writtenLog,
} from './sample-log.ts';

/** Sizes that the checkpoints of a log cover, in file order. */
function checkpointSizes(directory: string): number[] {
  const key = parseVerifierKey(read(directory, 'publicKey').toString());
  return filedNotes(read(directory, 'checkpoints').toString()).notes.map((note) => {
    const head = openCheckpoint(note, key);
    return 'size' in head ? head.size : -1;
  });
}

async function fault(promise: Promise<unknown>): Promise<Fault> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Fault)) throw new Error(`not a Fault: ${String(error)}`);
  return error;
}

describe('appending', () => {
  it('numbers records from 0 in the order of their appends, and has them in the file when it resolves', async () => {
    const { log, directory } = await openLog();
    const appended = Array.from({ length: 50 }, (_, index) =>
      log.append(decision(String(index)), { durable: index % 7 === 0 }).then(({ seq }) => {
        expect(recordsIn(directory)[seq]).toMatchObject({ seq, id: String(index) });
        return seq;
      }),
    );
    expect(await Promise.all(appended)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    await log.close();
    expect(recordsIn(directory).map(({ id }) => id)).toEqual(
      Array.from({ length: 50 }, (_, index) => String(index)),
    );
  });

  it('keeps the tree of exactly the lines in the file', async () => {
    const { log, directory } = await openLog();
    for (let index = 0; index < 11; index += 1) await log.append(decision(String(index)));
    const lines = read(directory, 'records').toString().split('\n').slice(0, -1);
    expect(log.head()).toEqual({ size: 11, root: rootOf(lines.map((line) => leafHash(Buffer.from(line)))) });
    await log.close();
  });

  it('makes files for the owner alone, even where they were not', async () => {
    const { log, directory } = await openLog();
    await log.append(decision('a'), { durable: true });
    await log.close();
    const modes = () =>
      readdirSync(directory).map((name) => [
        name,
        (statSync(join(directory, name)).mode & 0o777).toString(8),
      ]);
    const wanted = [
      'audit.checkpoints',
      'audit.jsonl',
      'audit.key',
      'audit.leaves',
      'audit.lock',
      'audit.pub',
    ];
    expect(modes()).toEqual(wanted.map((name) => [name, '600']));
    for (const name of wanted) chmodSync(join(directory, name), 0o666);
    await (await openLog({ directory })).log.close();
    expect(modes().filter(([name]) => name !== 'audit.pub')).toEqual(
      wanted.filter((name) => name !== 'audit.pub').map((name) => [name, '600']),
    );
  });

  it('refuses one bad draft without losing the log or a number', async () => {
    const { log, directory } = await openLog();
    await log.append(decision('a'));
    expect(await fault(log.append(decision('x'.repeat(300_000))))).toMatchObject({
      code: 'evidence_unavailable',
    });
    expect(await log.append(decision('b'))).toEqual({ seq: 1 });
    await log.close();
    expect(await verifyIn(directory)).toMatchObject({ ok: true, records: 2 });
  });

  it('takes nothing after it was closed', async () => {
    const { log } = await openLog();
    await log.close();
    await log.close();
    expect((await fault(log.append(decision('a')))).message).toContain('closed');
  });
});

describe('checkpoints', () => {
  it('covers each durable append, a quiet log after a while, a busy one every so many records, and the end', async () => {
    const { log, clock, directory } = await openLog({ checkpointRecords: 5, checkpointMs: 500 });
    const covered = async (size: number) => {
      while (checkpointSizes(directory).at(-1) !== size) await new Promise((done) => setImmediate(done));
    };
    await log.append(decision('0'));
    expect(checkpointSizes(directory)).toEqual([]);
    clock.advance(500);
    await covered(1);
    await log.append(decision('1'), { durable: true });
    await covered(2);
    for (let index = 2; index < 7; index += 1) await log.append(decision(String(index)));
    await covered(7);
    await log.append(decision('7'));
    await log.close();
    expect(checkpointSizes(directory)).toEqual([1, 2, 7, 8]);
    expect(clock.timers).toBe(0);
    expect(await verifyIn(directory)).toMatchObject({ ok: true, covered: 8, warnings: [] });
  });

  it('brings a durable append to disk by itself when it came while another was on its way there', async () => {
    const { log, directory } = await openLog();
    for (let round = 1; round <= 20; round += 1) {
      const first = log.append(decision('a'), { durable: true });
      await new Promise((done) => setImmediate(done));
      const second = log.append(decision('b'), { durable: true });
      await Promise.all([first, second]);
      // The clock stands still: only a sync of its own gets the second one covered.
      while (checkpointSizes(directory).at(-1) !== 2 * round) await new Promise((done) => setImmediate(done));
    }
    expect(checkpointSizes(directory).at(-1)).toBe(40);
    await log.close();
  });

  it('signs nothing again when there is nothing new', async () => {
    const directory = await writtenLog(3);
    await (await openLog({ directory })).log.close();
    expect(checkpointSizes(directory)).toEqual([3]);
    expect(recordsIn(directory)).toHaveLength(3);
  });

  it('carries the name that it was given, and keeps it', async () => {
    const { log, directory } = await openLog({ origin: 'example.com/holdpoint/billing' });
    await log.append(decision('a'));
    await log.close();
    const again = await openLog({ directory });
    expect(again.log.verifierKey).toMatch(/^example\.com\/holdpoint\/billing\+[0-9a-f]{8}\+/);
    await again.log.close();
  });
});

describe('opening again', () => {
  it('goes on where it stopped', async () => {
    const directory = await writtenLog(5);
    const { log } = await openLog({ directory });
    expect(log.head().size).toBe(5);
    expect(await log.append(decision('next'))).toEqual({ seq: 5 });
    await log.close();
    expect(await verifyIn(directory)).toMatchObject({ ok: true, records: 6, covered: 6, gaps: [] });
  });

  it('cuts a torn last line off at any place, keeps it, and says so in a gap record', async () => {
    const whole = await writtenLog(4);
    const full = read(whole, 'records');
    const line = full.subarray(full.lastIndexOf(0x0a, full.byteLength - 2) + 1);
    for (const length of [1, 2, 60, line.byteLength - 2, line.byteLength - 1]) {
      const directory = copyOf(whole);
      appendFileSync(pathIn(directory, 'records'), line.subarray(0, length));
      const { log } = await openLog({ directory });
      await log.append(decision('after'));
      await log.close();
      expect(recordsIn(directory).slice(4)).toMatchObject([
        { seq: 4, type: 'gap', detail: { reason: 'unclean_stop', uncovered: 0, torn: { octets: length } } },
        { seq: 5, id: 'after' },
      ]);
      expect(read(directory, 'records').subarray(0, full.byteLength)).toEqual(full);
      const kept = readdirSync(directory).find((name) => name.includes('torn')) ?? '';
      expect(statSync(join(directory, kept)).size).toBe(length);
      expect(await verifyIn(directory)).toMatchObject({ ok: true, records: 6, covered: 6 });
      expect((await verifyIn(directory)).gaps).toHaveLength(1);
    }
  });

  it('says which records no checkpoint had covered', async () => {
    const { log, directory } = await openLog({ checkpointMs: 60_000 });
    await log.append(decision('0'), { durable: true });
    while (read(directory, 'checkpoints').byteLength === 0) await new Promise((done) => setImmediate(done));
    await log.append(decision('1'));
    await log.append(decision('2'));
    const crashed = copyOf(directory);
    await log.close();
    const again = await openLog({ directory: crashed });
    await again.log.close();
    expect(recordsIn(crashed).at(-1)).toMatchObject({
      seq: 3,
      type: 'gap',
      detail: { uncovered_from: 1, uncovered: 2, torn: null },
    });
    expect(await verifyIn(crashed)).toMatchObject({ ok: true, covered: 4 });
  });

  it('repairs a torn checkpoint file and a lost or damaged leaf file', async () => {
    const whole = await writtenLog(9);
    const leaves = read(whole, 'leaves');
    expect(leaves.byteLength).toBe(9 * 32);
    const damage: ((directory: string) => void)[] = [
      (directory) => rmSync(pathIn(directory, 'leaves')),
      (directory) => truncateSync(pathIn(directory, 'leaves'), 100),
      (directory) => write(directory, 'leaves', Buffer.from(leaves).fill(7, 64, 65)),
    ];
    for (const damaged of damage) {
      const directory = copyOf(whole);
      damaged(directory);
      const { log } = await openLog({ directory });
      await log.append(decision('after'));
      await log.close();
      expect(read(directory, 'leaves').subarray(0, leaves.byteLength)).toEqual(leaves);
      expect(await verifyIn(directory)).toMatchObject({ ok: true, covered: 10, warnings: [] });
    }
    const torn = copyOf(whole);
    appendFileSync(pathIn(torn, 'checkpoints'), 'holdpoint/0123\n12\nAb');
    await (await openLog({ directory: torn })).log.close();
    expect(recordsIn(torn).at(-1)).toMatchObject({ type: 'gap', detail: { torn_checkpoint: 20 } });
    expect(await verifyIn(torn)).toMatchObject({ ok: true, covered: 10, problems: [] });
  });

  it('finds its newest checkpoint at the end of a long file of them', async () => {
    const { log, directory } = await openLog();
    for (let index = 0; index < 500; index += 1) await log.append(decision(String(index)), { durable: true });
    await log.close();
    expect(read(directory, 'checkpoints').byteLength).toBeGreaterThan(80_000);
    const again = await openLog({ directory });
    expect(again.log.head().size).toBe(500);
    await again.log.close();
    expect(recordsIn(directory)).toHaveLength(500);
  });

  const contradictions: [string, (directory: string) => void, RegExp][] = [
    [
      'a changed record',
      (at) => write(at, 'records', Buffer.from(read(at, 'records')).fill(0x58, 40, 41)),
      /not those that were signed/,
    ],
    [
      'a record cut off',
      (at) => truncateSync(pathIn(at, 'records'), read(at, 'records').byteLength - 1),
      /has 5 records, .* signed for 6/,
    ],
    ['all records gone', (at) => rmSync(pathIn(at, 'records')), /has 0 records/],
    [
      'a checkpoint of somebody else',
      (at) => write(at, 'checkpoints', read(at, 'checkpoints').toString().replaceAll(/— \S+/g, '— other')),
      /newest checkpoint is not good/,
    ],
    [
      'records and checkpoints gone, leaves not',
      (at) => {
        rmSync(pathIn(at, 'records'));
        rmSync(pathIn(at, 'checkpoints'));
      },
      /leaves was written for 6/,
    ],
    [
      'a changed record and no checkpoints',
      (at) => {
        write(
          at,
          'records',
          read(at, 'records').toString().replace('order 3', 'order 4').replace("'…'", "'x'"),
        );
        rmSync(pathIn(at, 'checkpoints'));
      },
      /record 0 is not the one that was written/,
    ],
    ['its key gone', (at) => rmSync(pathIn(at, 'privateKey')), /audit\.key is gone: restore it/],
    [
      'a key of another log',
      (at) => {
        rmSync(pathIn(at, 'publicKey'));
        writeFileSync(
          pathIn(at, 'publicKey'),
          'other+92cc2d0a+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz\n',
        );
      },
      /the id of the verifier key|not the public half/,
    ],
  ];
  it.each(contradictions)('refuses %s, and changes nothing', async (_, change, message) => {
    const directory = await writtenLog(6);
    change(directory);
    const before = readdirSync(directory).map((name) => [
      name,
      existsSync(join(directory, name)) ? statSync(join(directory, name)).size : 0,
    ]);
    const thrown = await fault(openLog({ directory }));
    expect(thrown.code).toBe('evidence_unavailable');
    expect(thrown.message).toMatch(message);
    const after = readdirSync(directory).map((name) => [name, statSync(join(directory, name)).size]);
    expect(after).toEqual(before);
    // And the lock is free again.
    expect((await fault(openLog({ directory }))).message).toMatch(message);
  });
});

describe('one writer', () => {
  it('refuses a second one, in this process or another, as long as the first is there', async () => {
    const { log, directory } = await openLog();
    expect((await fault(openLog({ directory }))).message).toMatch(
      /another process is writing this audit log/,
    );
    const child = startChild(directory);
    const [code] = await once(child.process, 'exit');
    expect(code).not.toBe(0);
    expect(child.errors()).toContain('another process is writing this audit log');
    await log.close();
    await (await openLog({ directory })).log.close();
  });

  it('keeps every record that it said was written through a kill -9, and goes on at once', async () => {
    for (const killAfter of [1, 40, 301]) {
      const directory = temporaryDirectory();
      const child = startChild(directory);
      const resolved: number[] = [];
      for await (const line of child.lines) {
        if (/^\d+$/.test(line)) resolved.push(Number(line));
        if (resolved.length >= killAfter && !child.process.killed) child.process.kill('SIGKILL');
      }
      const { log } = await openLog({ directory, clock: machineClock });
      await log.append(draft('started'));
      await log.close();
      const records = recordsIn(directory);
      expect(records.map(({ seq }) => seq)).toEqual(records.map((_, index) => index));
      expect(records.length).toBeGreaterThan(Math.max(...resolved));
      for (const seq of resolved)
        expect(records[seq]).toMatchObject({ seq, type: seq % 2 ? 'outcome' : 'decision' });
      expect(await verifyIn(directory, { now: Date.now(), requireComplete: true })).toMatchObject({
        ok: true,
      });
    }
  });
});

describe('a disk that will not take more', () => {
  it('fails that append and all later ones, keeps what was written, and can be opened again', async () => {
    const directory = temporaryDirectory();
    // RLIMIT_FSIZE: every write past 64 KiB fails with EFBIG, as it would with ENOSPC, part of it done.
    const child = startChild(directory, ['bash', '-c', 'ulimit -f 64; exec "$0" "$@"'], 'until-failure');
    const lines: string[] = [];
    for await (const line of child.lines) lines.push(line);
    const resolved = lines.filter((line) => /^\d+$/.test(line)).map(Number);
    expect(lines.find((line) => line.startsWith('failed'))).toMatch(
      /failed the audit log cannot be written: EFBIG/,
    );
    expect(lines.at(-1)).toBe('again refused');
    expect(resolved.length).toBeGreaterThan(50);
    // Not one octet of the record that did not fit.
    expect(read(directory, 'records').at(-1)).toBe(0x0a);
    expect(recordsIn(directory).map(({ seq }) => seq)).toEqual(resolved);
    const { log } = await openLog({ directory, clock: machineClock });
    await log.append(draft('started'));
    await log.close();
    expect(await verifyIn(directory, { now: Date.now(), requireComplete: true })).toMatchObject({ ok: true });
  });

  it.each([
    [
      'written to by somebody else',
      (path: string) => appendFileSync(path, '{}\n'),
      /changed by somebody else/,
    ],
    ['cut', (path: string) => truncateSync(path, 10), /changed by somebody else/],
    [
      'moved away',
      (path: string) => {
        renameSync(path, `${path}.1`);
        writeFileSync(path, '');
      },
      /moved away/,
    ],
    ['removed', (path: string) => rmSync(path), /ENOENT/],
  ])('takes nothing more once its file was %s', async (_, change, message) => {
    const faults: Fault[] = [];
    const { log, directory } = await openLog({ onFault: (told) => faults.push(told) });
    await log.append(decision('a'), { durable: true });
    change(pathIn(directory, 'records'));
    expect((await fault(log.append(decision('b'), { durable: true }))).message).toMatch(message);
    expect((await fault(log.append(decision('c')))).message).toMatch(message);
    expect(log.fault()?.message).toMatch(message);
    expect(faults).toHaveLength(1);
    await expect(log.close()).rejects.toThrow(message);
  });
});

interface Child {
  readonly process: ChildProcess;
  readonly lines: AsyncIterable<string>;
  errors(): string;
}

function startChild(directory: string, shell: readonly string[] = [], mode = 'forever'): Child {
  const script = new URL('./writer-child.ts', import.meta.url).pathname;
  const [command = process.execPath, ...rest] = [
    ...shell,
    process.execPath,
    '--import',
    'tsx',
    script,
    directory,
    mode,
  ];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdout.pause();
  return { process: child, lines: createInterface({ input: child.stdout }), errors: () => errors };
}
