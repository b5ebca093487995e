/** pgbench in its three modes, with the default policy in force, and writing, with policy looking on. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath } from '../support/on-path.ts';
import { run } from '../support/run.ts';
import { type Running, startHoldpoint } from '../support/running.ts';

const CLIENTS = 4;
const TRANSACTIONS = 100;

const pgbench = (url: string, ...args: string[]) =>
  run('pgbench', ['-n', '-c', String(CLIENTS), '-t', String(TRANSACTIONS), ...args, url]);

const ALL = `number of transactions actually processed: ${CLIENTS * TRANSACTIONS}/${CLIENTS * TRANSACTIONS}`;

describe.runIf(onPath('pgbench')).each(['enforce', 'shadow'])('pgbench, policy mode %s', (mode) => {
  let holdpoint: Running;
  beforeAll(async () => {
    holdpoint = await startHoldpoint({ config: { policy: { mode } } });
    const made = await run('pgbench', ['-i', '-q', '-s', '1', holdpoint.directUrl]);
    expect(made).toMatchObject({ code: 0 });
  });
  afterAll(() => holdpoint?.stop());

  const scripts = mode === 'enforce' ? ['-S'] : ['-S', '-N'];
  const cases = scripts.flatMap((script) =>
    ['simple', 'extended', 'prepared'].map((protocol): [string, string] => [script, protocol]),
  );
  it.each(cases)('%s -M %s loses nothing', async (script, protocol) => {
    const { code, stdout, stderr } = await pgbench(holdpoint.agentUrl, script, '-M', protocol);
    expect(stderr).not.toMatch(/error|aborted/i);
    expect(stdout).toContain(ALL);
    expect(code).toBe(0);
  });
});
