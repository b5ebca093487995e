/** The last act: the log is what it claims to be, and a log with one byte changed is not. */

import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { holdpoint } from '../support/holdpoint-cli.ts';
import type { Stage } from './stage.ts';
import type { World } from './world.ts';

export async function evidenceActs(stage: Stage, world: World): Promise<void> {
  const audit = join(world.holdpoint.stateDir, 'audit');

  await stage.act('The log is verified', async ({ says, check }) => {
    says('auditor', 'holdpoint audit verify');
    const { code, stdout, stderr } = await holdpoint(world.holdpoint, 'audit', 'verify');
    says('auditor', (stdout || stderr).trim());
    check('it is whole and signed', code === 0, code);
    const records = await readRecords(join(audit, 'audit.jsonl'));
    const count = (type: string) => records.filter((record) => record.type === type).length;
    check('it tells of both approvals and the denial', count('approval') >= 3, count('approval'));
    check('every hold was opened and closed', count('hold_opened') === 3 && count('hold_closed') === 3, {
      opened: count('hold_opened'),
      closed: count('hold_closed'),
    });
  });

  await stage.act('A copy with one byte changed is found out', async ({ says, check }) => {
    const copy = join(world.scratch, 'audit-copy');
    await cp(audit, copy, { recursive: true });
    const file = join(copy, 'audit.jsonl');
    const records = await readRecords(file);
    const record = records.find(({ type }) => type === 'approval');
    if (!record) throw new Error('the log has no approval to change');
    const bytes = await readFile(file);
    const at = bytes.indexOf('"approval"', lineStart(bytes, record.line)) + 1;
    bytes[at] = 'A'.charCodeAt(0);
    await writeFile(file, bytes);
    says('auditor', `changes one byte in record ${record.seq} of a copy; holdpoint audit verify ${copy}`);
    const { code, stdout, stderr } = await holdpoint(world.holdpoint, 'audit', 'verify', copy);
    const said = (stdout + stderr).trim();
    says('auditor', said);
    check('the copy is refused', code === 1, code);
    check(`and record ${record.seq} is named`, new RegExp(`\\b${record.seq}\\b`).test(said), said);
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
