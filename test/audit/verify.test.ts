/** The verifier against every way that a small log can be changed behind its writer's back. */

import { appendFileSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filed, filedNotes } from '../../src/audit/checkpoint.ts';
import { readVerifierKey } from '../../src/audit/keys.ts';
import { logFiles } from '../../src/audit/layout.ts';
import { verifierKey } from '../../src/audit/note.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { draft } from '../../src/core/record.ts';
import { copyOf, decision, openLog, pathIn, read, START, verifyIn, write, writtenLog } from './sample-log.ts';

/** Ten records; checkpoints at 4, 8 and 10. */
const COUNT = 10;

/** Which record each octet of a log belongs to; a newline belongs to the record that it ends. */
function ownerOf(octets: Buffer): number[] {
  let seq = 0;
  return [...octets].map((octet) => (octet === 0x0a ? seq++ : seq));
}

const lines = (directory: string) => read(directory, 'records').toString().split('\n').slice(0, -1);
const writeLines = (directory: string, all: readonly string[]) =>
  write(directory, 'records', all.map((line) => `${line}\n`).join(''));

describe('a log as it was signed', () => {
  it('is good, wholly covered, and has the root of its last checkpoint', async () => {
    const directory = await writtenLog(COUNT);
    const verdict = await verifyIn(directory, { requireComplete: true });
    expect(verdict).toMatchObject({ ok: true, records: 10, covered: 10, checkpoints: 3, firstBad: null });
    expect(verdict).toMatchObject({ problems: [], warnings: [], gaps: [] });
    expect(read(directory, 'checkpoints').toString()).toContain(`\n10\n${verdict.root}\n`);
  });

  it('is good when it is empty', async () => {
    const { log, directory } = await openLog();
    await log.close();
    expect(await verifyIn(directory)).toMatchObject({ ok: true, records: 0, covered: 0 });
  });

  it('is good while it is being written to, less what no checkpoint covers yet', async () => {
    const { log, directory } = await openLog({ checkpointMs: 60_000 });
    for (let index = 0; index < 4; index += 1)
      await log.append(decision(`${index}`), { durable: index === 3 });
    while (read(directory, 'checkpoints').byteLength === 0) await new Promise((done) => setImmediate(done));
    await log.append(decision('4'));
    appendFileSync(pathIn(directory, 'records'), '{"v":1,"se');
    const verdict = await verifyIn(directory);
    expect(verdict).toMatchObject({ ok: true, records: 5, covered: 4, problems: [] });
    expect(verdict.warnings).toEqual([
      '1 record after the last checkpoint is not covered by a signature, and 10 octets of an unfinished line follow',
    ]);
    expect(await verifyIn(directory, { requireComplete: true })).toMatchObject({ ok: false, firstBad: null });
    await log.close().catch(() => {});
  });
});

/** Six records as short as they come, checkpoints at 2, 4 and 6: small enough to try every octet. */
async function shortLog(): Promise<string> {
  const { log, directory } = await openLog();
  for (let index = 0; index < 6; index += 1) await log.append(draft('outcome'), { durable: index % 2 === 1 });
  await log.close();
  return directory;
}

describe('one octet', () => {
  it('changed anywhere in the records is found, and its record named', async () => {
    const copy = await shortLog();
    const octets = read(copy, 'records');
    const owners = ownerOf(octets);
    for (const [at, owner] of owners.entries()) {
      const changed = Buffer.from(octets);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      write(copy, 'records', changed);
      expect(await verifyIn(copy), `octet ${at}`).toMatchObject({
        ok: false,
        firstBad: { seq: owner, through: owner },
        records: owner,
      });
    }
  }, 120_000);

  it('taken out of or put into any place is found, and its record named', async () => {
    const copy = await shortLog();
    const octets = read(copy, 'records');
    for (const [at, owner] of ownerOf(octets).entries()) {
      if (at % 4 !== 0 && octets[at] !== 0x0a) continue;
      write(copy, 'records', Buffer.concat([octets.subarray(0, at), octets.subarray(at + 1)]));
      expect((await verifyIn(copy)).firstBad, `without octet ${at}`).toMatchObject({
        seq: owner,
        through: owner,
      });
      write(copy, 'records', Buffer.concat([octets.subarray(0, at), Buffer.from('\n'), octets.subarray(at)]));
      // Before a newline it adds an empty record after a good one.
      const bad = octets[at] === 0x0a ? owner + 1 : owner;
      expect((await verifyIn(copy)).firstBad, `newline before ${at}`).toMatchObject({
        seq: bad,
        through: bad,
      });
    }
  }, 120_000);

  it('changed anywhere in the checkpoints is found', async () => {
    const copy = await shortLog();
    const octets = read(copy, 'checkpoints');
    for (let at = 0; at < octets.byteLength; at += 1) {
      const changed = Buffer.from(octets);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      write(copy, 'checkpoints', changed);
      const verdict = await verifyIn(copy);
      expect({ at, ok: verdict.ok }).toEqual({ at, ok: false });
      expect(verdict.firstBad).toBeNull();
    }
  }, 120_000);

  it('changed anywhere in the leaf file does no harm: it only helps to name a record', async () => {
    const copy = await shortLog();
    const octets = read(copy, 'leaves');
    for (let at = 0; at < octets.byteLength; at += 5) {
      const changed = Buffer.from(octets);
      changed[at] = (changed[at] ?? 0) ^ 0x01;
      write(copy, 'leaves', changed);
      const verdict = await verifyIn(copy);
      expect(verdict).toMatchObject({ ok: true, covered: 6 });
      expect(verdict.warnings[0]).toMatch(/^the leaf file is missing or damaged/);
    }
  });
});

describe('without the leaf file', () => {
  it('names the records between the two checkpoints that a change lies between', async () => {
    const directory = await writtenLog(COUNT);
    rmSync(pathIn(directory, 'leaves'));
    const all = lines(directory);
    all[5] = all[5]?.replace('allow', 'denyy') ?? '';
    writeLines(directory, all);
    expect(await verifyIn(directory)).toMatchObject({
      ok: false,
      records: 4,
      covered: 4,
      firstBad: { seq: 4, through: 7, reason: 'changed: the root over these records is not the signed one' },
    });
  });

  it('still names a record whose own form gives it away', async () => {
    const directory = await writtenLog(COUNT);
    rmSync(pathIn(directory, 'leaves'));
    const all = lines(directory);
    writeLines(directory, [...all.slice(0, 5), ...all.slice(6)]);
    expect(await verifyIn(directory)).toMatchObject({
      firstBad: { seq: 5, through: 5, reason: 'removed: record 6 follows where record 5 should be' },
    });
  });
});

describe('whole records', () => {
  it('removed, doubled or swapped anywhere are named', async () => {
    const directory = await writtenLog(COUNT);
    const all = lines(directory);
    for (let at = 0; at < COUNT - 1; at += 1) {
      writeLines(
        directory,
        all.filter((_, index) => index !== at),
      );
      expect((await verifyIn(directory)).firstBad).toMatchObject({ seq: at, through: at });
      writeLines(
        directory,
        all.flatMap((line, index) => (index === at ? [line, line] : [line])),
      );
      expect((await verifyIn(directory)).firstBad).toMatchObject({ seq: at + 1, through: at + 1 });
      writeLines(
        directory,
        all.map((line, index) => all[index === at ? at + 1 : index === at + 1 ? at : -1] ?? line),
      );
      expect((await verifyIn(directory)).firstBad).toMatchObject({ seq: at, through: at });
    }
  });

  it('rewritten with another order of keys, other white space or another number are named', async () => {
    const directory = await writtenLog(COUNT);
    const all = lines(directory);
    const rewritten = [
      (line: string) => `${line} `,
      (line: string) => `\ufeff${line}`,
      (line: string) => line.replace('"seq":3', '"seq":3.0'),
      (line: string) => line.replace('"detail"', '"agent":"other","detail"'),
      (line: string) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse())),
    ];
    for (const rewrite of rewritten) {
      writeLines(
        directory,
        all.map((line, seq) => (seq === 3 ? rewrite(line) : line)),
      );
      expect((await verifyIn(directory)).firstBad).toMatchObject({ seq: 3, through: 3 });
    }
  });

  it('appended by somebody else are not covered, or give themselves away', async () => {
    const directory = await writtenLog(COUNT);
    const forged = (lines(directory)[9] ?? '').replace('"seq":9', '"seq":10');
    appendFileSync(pathIn(directory, 'records'), `${forged}\n`);
    expect(await verifyIn(directory)).toMatchObject({ ok: true, covered: 10, records: 11 });
    expect(await verifyIn(directory, { requireComplete: true })).toMatchObject({ ok: false });
    appendFileSync(pathIn(directory, 'records'), 'not a record\n');
    expect((await verifyIn(directory)).firstBad).toMatchObject({ seq: 11, through: 11 });
  });

  it('too long to be read are refused without being read whole', async () => {
    const directory = await writtenLog(2);
    appendFileSync(pathIn(directory, 'records'), `${'x'.repeat(LIMITS.auditRecord + 1)}\n`);
    expect((await verifyIn(directory)).firstBad).toMatchObject({
      seq: 2,
      reason: expect.stringContaining('longer'),
    });
  });

  it('with absurd times are remarked on, since a clock can be wrong', async () => {
    const { log, clock, directory } = await openLog();
    await log.append(decision('0'));
    clock.advance(3 * 86_400_000);
    await log.append(decision('1'));
    await log.close();
    const verdict = await verifyIn(directory, { now: START });
    expect(verdict.ok).toBe(true);
    expect(verdict.warnings).toEqual(['record 1: its time is absurd: 2026-01-05T03:04:05.000Z']);
  });
});

describe('cutting the end off', () => {
  it('the log is found wherever it is cut', async () => {
    const directory = await writtenLog(COUNT);
    const whole = read(directory, 'records');
    const owners = ownerOf(whole);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.byteLength - 1 }), async (length) => {
        write(directory, 'records', whole.subarray(0, length));
        const verdict = await verifyIn(directory);
        expect(verdict).toMatchObject({ ok: false, firstBad: { seq: owners[length] } });
      }),
    );
    rmSync(pathIn(directory, 'records'));
    expect(await verifyIn(directory)).toMatchObject({ ok: false, firstBad: { seq: 0, through: 9 } });
  });

  it('the checkpoints leaves records that nothing covers, and it says how many', async () => {
    const directory = await writtenLog(COUNT);
    const { notes } = filedNotes(read(directory, 'checkpoints').toString());
    write(directory, 'checkpoints', notes.slice(0, 1).map(filed).join(''));
    const verdict = await verifyIn(directory);
    expect(verdict).toMatchObject({ ok: true, covered: 4, records: 10 });
    expect(verdict.warnings.join()).toContain('6 records after the last checkpoint are not covered');
    expect(await verifyIn(directory, { requireComplete: true })).toMatchObject({ ok: false });
  });

  it('all checkpoints leaves nothing that vouches for the log', async () => {
    const directory = await writtenLog(COUNT);
    rmSync(pathIn(directory, 'checkpoints'));
    expect(await verifyIn(directory)).toMatchObject({
      ok: false,
      problems: ['no checkpoint vouches for any record'],
    });
  });

  it('both at once is found by the leaf file, and without it by a checkpoint that was kept elsewhere', async () => {
    const directory = await writtenLog(COUNT);
    const witnessed = readFileSync(pathIn(directory, 'checkpoints'), 'utf8');
    const { notes } = filedNotes(witnessed);
    writeLines(directory, lines(directory).slice(0, 8));
    write(directory, 'checkpoints', notes.slice(0, 2).map(filed).join(''));
    expect(await verifyIn(directory)).toMatchObject({ ok: false, firstBad: { seq: 8, through: 9 } });
    truncateSync(pathIn(directory, 'leaves'), 8 * 32);
    // Nothing in the files shows it any more: this is what a witness is for.
    expect(await verifyIn(directory)).toMatchObject({ ok: true, covered: 8 });
    expect(await verifyIn(directory, { witnessed })).toMatchObject({
      ok: false,
      firstBad: { seq: 8, through: 9 },
    });
  });
});

describe('the key', () => {
  it('of somebody else, who signed everything anew, does not pass', async () => {
    const directory = await writtenLog(COUNT);
    const key = readVerifierKey(logFiles(directory).publicKey);
    const forged = await writtenLog(COUNT);
    expect(await verifyIn(forged)).toMatchObject({ ok: true });
    expect(await verifyIn(forged, { key })).toMatchObject({ ok: false, covered: 0, checkpoints: 0 });
    const sameName = verifierKey(readVerifierKey(logFiles(forged).publicKey).name, key.octets);
    expect(await verifyIn(forged, { key: sameName })).toMatchObject({ ok: false, covered: 0 });
  });

  it('does not make two histories one', async () => {
    const directory = await writtenLog(4);
    const other = copyOf(directory);
    for (const [at, id] of [
      [directory, 'this'],
      [other, 'that'],
    ] as const) {
      const { log } = await openLog({ directory: at });
      await log.append(decision(id));
      await log.close();
      expect(await verifyIn(at)).toMatchObject({ ok: true, covered: 5 });
    }
    const witnessed = read(other, 'checkpoints').toString();
    const verdict = await verifyIn(directory, { witnessed });
    expect(verdict).toMatchObject({ ok: false });
    expect(verdict.problems.join()).toContain('another root was signed for size 5');
  });
});
