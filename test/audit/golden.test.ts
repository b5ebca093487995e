/**
 * One log, committed as it was written: today's code must still verify it and still write its lines, and so must the
 * verifier that shares no code with it. UPDATE_GOLDEN=1 writes a new one, for a new version of the form only.
 */

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createCapturer } from '../../src/audit/capture.ts';
import { createAuditLog } from '../../src/audit/log.ts';
import { encodeRecord } from '../../src/audit/record.ts';
import { draft, type RecordDraft } from '../../src/core/record.ts';
import { handClock } from '../support/clock.ts';
import { onPath } from '../support/on-path.ts';
import {
  copyOf,
  pathIn,
  read,
  START,
  temporaryDirectory,
  verifyIn,
  write,
  writtenLog,
} from './sample-log.ts';

const GOLDEN = resolve(import.meta.dirname, '../golden/audit');
const VERIFIER = resolve(import.meta.dirname, '../../deploy/audit/verify.py');

const fingerprint = { exact: '1'.repeat(64), shape: '2'.repeat(64) };
const statement = {
  id: '019b7f0c1d2e',
  agent: 'billing-bot',
  kind: 'postgres' as const,
  action: {
    text: "SELECT * FROM customers WHERE note <> 'día\u2028'",
    database: 'app',
    user: 'agent',
    parameters: ['7'],
  },
  fingerprint,
  policy: {
    revision: 'r1',
    effect: 'hold',
    rules: [
      {
        id: 'postgres.bulk_export',
        reason: 'reads all of customers',
        severity: 'high' as const,
        controls: ['CC6.1'],
      },
    ],
  },
  ticket: 'HP-0123ABCD',
};
const call = {
  id: '019b7f0c1d2f',
  agent: 'billing-bot',
  kind: 'http' as const,
  action: {
    method: 'GET',
    url: 'http://169.254.169.254/latest/meta-data/?token=zq',
    headers: { accept: '*/*' },
  },
  policy: {
    revision: 'r1',
    effect: 'deny',
    rules: [
      { id: 'http.metadata', reason: 'cloud metadata', severity: 'critical' as const, controls: ['CC6.6'] },
    ],
  },
};
/** What happened, and milliseconds before it; `true` for durable. */
const STORY: readonly (readonly [number, RecordDraft, boolean?])[] = [
  [0, draft('started', { detail: { version: '0.1.0' } })],
  [5, draft('policy_loaded', { detail: { revision: 'r1' } })],
  [900, draft('decision', statement)],
  [
    1,
    draft('hold_opened', {
      id: statement.id,
      ticket: statement.ticket,
      detail: { expires_at: '2026-01-02T03:19:05Z' },
    }),
  ],
  [
    40_000,
    draft('approval', {
      id: statement.id,
      ticket: statement.ticket,
      detail: { person: 'alice@example.com', decision: 'approve', via: 'slack' },
    }),
  ],
  [
    1,
    draft('hold_closed', { id: statement.id, ticket: statement.ticket, detail: { state: 'released' } }),
    true,
  ],
  [
    12,
    draft('outcome', {
      id: statement.id,
      ticket: statement.ticket,
      detail: { status: 'completed', rows: 2000 },
    }),
  ],
  [700, draft('decision', call)],
  [3, draft('stopped')],
];

beforeAll(async () => {
  if (!process.env.UPDATE_GOLDEN) return;
  rmSync(GOLDEN, { recursive: true, force: true });
  mkdirSync(GOLDEN, { recursive: true });
  const clock = handClock(START);
  const log = await createAuditLog({
    directory: GOLDEN,
    clock,
    capture: 'redacted',
    origin: 'example.com/holdpoint/golden',
  });
  for (const [wait, record, durable] of STORY) {
    clock.advance(wait);
    await log.append(record, { durable: durable === true });
  }
  await log.close();
  for (const name of readdirSync(GOLDEN)) if (/\.(?:key|lock)$/.test(name)) rmSync(join(GOLDEN, name));
});

/** The golden log where it can be changed. */
function goldenCopy(): string {
  const copy = temporaryDirectory();
  cpSync(GOLDEN, copy, { recursive: true });
  return copy;
}

describe('the golden log', () => {
  it('verifies', async () => {
    expect(await verifyIn(GOLDEN, { requireComplete: true })).toMatchObject({
      ok: true,
      records: STORY.length,
      covered: STORY.length,
      warnings: [],
      key: expect.stringMatching(/^example\.com\/holdpoint\/golden\+/),
    });
  });

  it('has the lines that today’s code writes', () => {
    const capture = createCapturer('redacted');
    let time = START;
    const lines = STORY.map(([wait, record], seq) => {
      time += wait;
      return `${encodeRecord(seq, time, record, capture)}\n`;
    });
    expect(read(GOLDEN, 'records').toString()).toBe(lines.join(''));
    expect(lines.join('')).not.toContain('zq');
  });
});

function python(directory: string, script: readonly string[] = [VERIFIER]) {
  const run = spawnSync('python3', [...script, directory], { encoding: 'utf8' });
  if (run.error) throw run.error;
  return { code: run.status, said: `${run.stdout}${run.stderr}` };
}

const python3 = onPath('python3');
const cryptography = python3 && spawnSync('python3', ['-c', 'import cryptography']).status === 0;
/** 4: good, but signatures were not checked. */
const GOOD = cryptography ? 0 : 4;

describe.skipIf(!python3)('the verifier that shares no code with the log', () => {
  it('verifies the golden log and one that was just written', async () => {
    for (const directory of [GOLDEN, await writtenLog(11)]) {
      const { code, said } = python(directory);
      expect({ code, said }).toEqual({
        code: GOOD,
        said: expect.stringMatching(/records, (?:9|11) of them covered/),
      });
    }
  });

  it('names the same first bad record', async () => {
    const octets = read(GOLDEN, 'records');
    for (let at = 5; at < octets.byteLength; at += 397) {
      const directory = goldenCopy();
      write(directory, 'records', Buffer.from(octets).fill((octets[at] ?? 0) ^ 0x01, at, at + 1));
      const { firstBad } = await verifyIn(directory);
      expect(python(directory)).toEqual({
        code: 1,
        said: expect.stringContaining(`record ${firstBad?.seq}:`),
      });
    }
  });

  it('finds records removed, and what it cannot pin to one it pins to a range', async () => {
    const cut = goldenCopy();
    const octets = read(cut, 'records');
    write(cut, 'records', octets.subarray(0, octets.lastIndexOf(0x0a, octets.byteLength - 2) + 1));
    expect(python(cut)).toMatchObject({ code: 1, said: expect.stringContaining('record 8: removed') });
    const blind = goldenCopy();
    rmSync(pathIn(blind, 'leaves'));
    expect(python(blind).code).toBe(GOOD);
    write(blind, 'records', octets.toString().replace('"effect":"deny"', '"effect":"allo"'));
    expect(python(blind)).toMatchObject({ code: 1, said: expect.stringContaining('records 6 to 8') });
  });

  it.skipIf(!cryptography)('does not take another key’s signature, nor a changed one', async () => {
    const forged = copyOf(await writtenLog(3));
    write(forged, 'publicKey', read(GOLDEN, 'publicKey'));
    expect(python(forged)).toMatchObject({ code: 1, said: expect.stringContaining('not signed by') });
    const changed = goldenCopy();
    write(changed, 'checkpoints', read(changed, 'checkpoints').toString().replace('\n9\n', '\n8\n'));
    expect(python(changed)).toMatchObject({ code: 1 });
  });

  it('says so when it could not check signatures', () => {
    const without = `import sys, runpy; sys.modules['cryptography'] = None; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')`;
    expect(python(GOLDEN, ['-c', without, VERIFIER])).toEqual({
      code: 4,
      said: expect.stringContaining('signatures NOT checked'),
    });
  });
});
