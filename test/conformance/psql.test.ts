/** psql through Holdpoint is psql without it: one script, two transcripts, no difference. */

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath } from '../support/on-path.ts';
import { run } from '../support/run.ts';
import { type Running, startHoldpoint } from '../support/running.ts';

const SCRIPT = fileURLToPath(new URL('psql.sql', import.meta.url));

/**
 * A text that does not parse, and one in a failed transaction, never reach the server: Holdpoint answers them with
 * PostgreSQL's code and words, but has no place in PostgreSQL's source to name.
 */
const answeredByServer = (stderr: string): string =>
  stderr.replaceAll(/^(psql:\S+ ERROR: {2}(?:42601|25P02): .*)\n(?:(?!psql:).*\n)*/gm, '$1\n');

describe.runIf(onPath('psql'))('psql', () => {
  let holdpoint: Running;
  beforeAll(async () => {
    holdpoint = await startHoldpoint({ config: { policy: { mode: 'shadow' } } });
  });
  afterAll(() => holdpoint?.stop());

  const psql = (url: string, ...args: string[]) =>
    run('psql', ['-X', url, ...args], { input: '7\tseven\n\\.\n', env: { PGCONNECT_TIMEOUT: '10' } });

  it('sees the same, to the letter', { timeout: 60_000 }, async () => {
    const direct = await psql(holdpoint.directUrl, '-a', '-f', SCRIPT);
    const through = await psql(holdpoint.agentUrl, '-a', '-f', SCRIPT);
    expect(direct.stdout).toContain('(8000 rows)');
    expect(direct.stderr).toContain('invalid input syntax for type integer: "six"');
    expect(answeredByServer(through.stderr)).toBe(answeredByServer(direct.stderr));
    expect(through.stdout).toBe(direct.stdout);
    expect(through.code).toBe(0);
  });

  it.each(['disable', 'prefer'])('connects with sslmode=%s and gssencmode=prefer', async (mode) => {
    const { stdout } = await psql(
      `${holdpoint.agentUrl}?sslmode=${mode}&gssencmode=prefer`,
      '-Atc',
      'SELECT 1',
    );
    expect(stdout).toBe('1\n');
  });

  it('is told in its own words that the password is wrong', async () => {
    const { code, stderr } = await psql(holdpoint.agentUrl.replace(':agent@', ':guess@'), '-c', 'SELECT 1');
    expect(code).toBe(2);
    expect(stderr).toContain('FATAL:  password authentication failed for user "agent"');
  });

  it('can be interrupted', async () => {
    const { code, stderr } = await run('timeout', [
      ...['--signal=INT', '1', 'psql', '-X', holdpoint.agentUrl],
      ...['-c', 'SELECT pg_sleep(30)'],
    ]);
    expect(stderr).toContain('canceling statement due to user request');
    expect(code).toBe(124);
  });
});
