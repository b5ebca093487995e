/** The last acts: Holdpoint closes its log; the log is what it claims to be; a log with one byte changed is not. */

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { holdpoint } from '../support/holdpoint-cli.ts';
import type { Stage } from './stage.ts';
import type { World } from './world.ts';

/** What an auditor is handed: the records, and what vouches for them. The key to check that with is their own. */
const EVIDENCE = ['audit.jsonl', 'audit.checkpoints', 'audit.leaves'];

export async function evidenceActs(stage: Stage, world: World): Promise<void> {
  const { stateDir } = world.holdpoint;
  const log = join(stateDir, 'audit.jsonl');
  const verify = (file: string) =>
    holdpoint('audit', 'verify', file, '--require-complete', '--key', world.verifierKey);

  await stage.act('Holdpoint stops, and its log is verified', async ({ says, check }) => {
    const stopped = await world.holdpoint.terminate();
    check('it drains and exits with 0', stopped === 0, stopped);
    const faults = world.slack.faults();
    check('Slack has nothing to complain of', faults.length === 0, faults);
    says('auditor', 'holdpoint audit verify --require-complete, with the verifier key that was kept');
    const { code, stdout, stderr } = await verify(log);
    says('auditor', stdout + stderr);
    check('the log is whole, and signed to its end', code === 0, code);
    const records = await readRecords(log);
    const count = (type: string) => records.filter((record) => record.type === type).length;
    const counts = { opened: count('hold_opened'), closed: count('hold_closed'), answers: count('approval') };
    check('it tells of three holds, opened and closed', counts.opened === 3 && counts.closed === 3, counts);
    check('and of every answer that was given', counts.answers >= 3, counts);
  });

  await stage.act('A copy with one byte changed is found out', async ({ says, check }) => {
    const copy = join(world.scratch, 'copy');
    await mkdir(copy);
    for (const name of EVIDENCE) await copyFile(join(stateDir, name), join(copy, name));
    const file = join(copy, 'audit.jsonl');
    const record = (await readRecords(file)).find(({ type }) => type === 'approval');
    if (!record) throw new Error('the log has no approval to change');
    const bytes = await readFile(file);
    bytes[bytes.indexOf('"approval"', lineStart(bytes, record.line)) + 1] = 'A'.charCodeAt(0);
    await writeFile(file, bytes);
    says('auditor', `changes one byte of record ${record.seq} in a copy, and verifies the copy`);
    const { code, stdout, stderr } = await verify(file);
    says('auditor', stdout + stderr);
    check('the copy is refused', code === 1, code);
    check(`record ${record.seq} is named`, new RegExp(`\\brecord ${record.seq}\\b`).test(stdout), stdout);
  });
}

interface LoggedRecord {
  readonly seq: number;
  readonly type: string;
  /** From 0. */
  readonly line: number;
}

async function readRecords(file: string): Promise<LoggedRecord[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  return lines.map((text, line) => ({ ...(JSON.parse(text) as { seq: number; type: string }), line }));
}

function lineStart(bytes: Buffer, line: number): number {
  let at = 0;
  for (let passed = 0; passed < line; passed += 1) at = bytes.indexOf('\n', at) + 1;
  return at;
}
