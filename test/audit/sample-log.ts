/** Small real logs for the tests: written by the writer itself, in directories of their own. */

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { readVerifierKey } from '../../src/audit/keys.ts';
import { filesBeside, logFiles } from '../../src/audit/layout.ts';
import { type AuditLog, type AuditLogOptions, createAuditLog } from '../../src/audit/log.ts';
import { type Verification, type VerifyOptions, verifyLog } from '../../src/audit/verify.ts';
import { draft, type RecordDraft } from '../../src/core/record.ts';
import { type HandClock, handClock } from '../support/clock.ts';

export const START = Date.parse('2026-01-02T03:04:05Z');

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdpoint-audit-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export function decision(id: string, more: Partial<RecordDraft> = {}): RecordDraft {
  return draft('decision', {
    id,
    agent: 'billing-bot',
    kind: 'postgres',
    action: { text: `SELECT * FROM orders WHERE id = 'order ${id}'`, database: 'app' },
    fingerprint: { exact: 'a'.repeat(64), shape: 'b'.repeat(64) },
    policy: {
      revision: 'r1',
      effect: 'allow',
      rules: [{ id: 'postgres.read', reason: 'reads one of orders', severity: 'info', controls: ['CC6.1'] }],
    },
    detail: { mode: 'enforce' },
    ...more,
  });
}

export interface OpenLog {
  readonly log: AuditLog;
  readonly clock: HandClock;
  readonly directory: string;
}

export async function openLog(options: Partial<AuditLogOptions> = {}): Promise<OpenLog> {
  const directory = options.directory ?? temporaryDirectory();
  const clock = handClock(START);
  const log = await createAuditLog({ clock, capture: 'redacted', ...options, directory });
  return { log, clock, directory };
}

/** A closed log of `count` decisions, with a checkpoint after every `every` of them. */
export async function writtenLog(count: number, every = 4): Promise<string> {
  const { log, directory } = await openLog();
  for (let index = 0; index < count; index += 1)
    await log.append(decision(String(index)), { durable: (index + 1) % every === 0 });
  await log.close();
  return directory;
}

export function copyOf(directory: string): string {
  const copy = temporaryDirectory();
  cpSync(directory, copy, { recursive: true });
  return copy;
}

export function verifyIn(directory: string, more: Partial<VerifyOptions> = {}): Promise<Verification> {
  const files = logFiles(directory);
  return verifyLog({ ...files, key: readVerifierKey(files.publicKey), now: START + 60_000, ...more });
}

export type LogFile = 'records' | 'checkpoints' | 'leaves' | 'publicKey' | 'privateKey';

export function pathIn(directory: string, file: LogFile): string {
  return filesBeside(join(directory, 'audit.jsonl'))[file];
}

export function read(directory: string, file: LogFile): Buffer {
  return readFileSync(pathIn(directory, file));
}

export function write(directory: string, file: LogFile, octets: Uint8Array | string): void {
  writeFileSync(pathIn(directory, file), octets);
}

/** The records of a log, parsed. */
export function recordsIn(directory: string): { seq: number; type: string; [key: string]: unknown }[] {
  return read(directory, 'records')
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}
