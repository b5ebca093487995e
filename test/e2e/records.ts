/** The audit log of a running instance, as its file has it. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { holdpoint } from '../support/holdpoint-cli.ts';
import type { Ran } from '../support/run.ts';
import type { Running } from '../support/running.ts';

export interface AuditRecord {
  readonly v: number;
  readonly seq: number;
  readonly time: string;
  readonly type: string;
  readonly id: string | null;
  readonly agent: string | null;
  readonly kind: string | null;
  readonly action: unknown;
  readonly fingerprint: { readonly exact: string; readonly shape: string } | null;
  readonly policy: {
    readonly revision: string;
    readonly effect: string;
    readonly rules: readonly unknown[];
  } | null;
  readonly ticket: string | null;
  readonly [detail: string]: unknown;
}

/** Every record whose line is whole. */
export function recordsOf(running: Running): AuditRecord[] {
  const text = readFileSync(join(running.stateDir, 'audit.jsonl'), 'utf8');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as AuditRecord);
}

/** Waits for the first record of which `is` is true. */
export function recorded(running: Running, is: (record: AuditRecord) => boolean): Promise<AuditRecord> {
  return eventually('a record', () => recordsOf(running).find(is));
}

export function verify(running: Running, ...flags: readonly string[]): Promise<Ran> {
  return holdpoint('audit', 'verify', '--config', running.configFile, ...flags);
}
