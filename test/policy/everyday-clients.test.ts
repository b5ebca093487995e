/** Through a whole Holdpoint: what people look a database over with, and what drivers bind, must not wait for anybody. */

import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath } from '../support/on-path.ts';
import { run } from '../support/run.ts';
import { type Running, startHoldpoint } from '../support/running.ts';

/** Without those that only a psql of the server's own version knows how to ask. */
const COMMANDS = String.raw`\d
\d customers
\d+ orders
\dt+ \di+ \dv \dm \ds
\df \da \dn+ \du+ \dp \ddp \drds
\dT+ \dD \dx \dy \dF \do abs \dE \des \dew \det
\dRp+ \conninfo \encoding UTF8
\x
\z orders
\sf abs(bigint)
SELECT count(*), max(placed_at) FROM orders;
SET application_name = 'looking';
SELECT id FROM orders WHERE id = 5;
`;

describe.runIf(onPath('psql'))('psql', () => {
  let holdpoint: Running;
  beforeAll(async () => {
    // With the default knobs, under which customers is sensitive.
    holdpoint = await startHoldpoint({ data: {} });
  });
  afterAll(() => holdpoint?.stop());

  const psql = (url: string, input: string) => run('psql', ['-X', '-q', url], { input });

  it('describes everything without a person', { timeout: 60_000 }, async () => {
    const input = COMMANDS.replaceAll(' \\', '\n\\');
    const through = await psql(holdpoint.agentUrl, input);
    const direct = await psql(holdpoint.directUrl, input);
    expect(through.stderr).toBe(direct.stderr);
    const port = (url: string): string => new URL(url).port;
    expect(through.stdout.replaceAll(port(holdpoint.agentUrl), port(holdpoint.directUrl))).toBe(
      direct.stdout,
    );
    expect(through.stdout).toContain('Personal data');
  });

  it('still waits for one with the rows themselves', { timeout: 60_000 }, async () => {
    const { stdout, stderr } = await run('timeout', [
      ...['--signal=INT', '2', 'psql', '-X', holdpoint.agentUrl],
      ...['-c', 'SELECT * FROM orders'],
    ]);
    expect(stderr).toContain('held for approval');
    expect(stdout).toBe('');
  });
});

describe('a driver', () => {
  let holdpoint: Running;
  let client: pg.Client;
  beforeAll(async () => {
    holdpoint = await startHoldpoint({ data: {} });
    client = new pg.Client(holdpoint.agentUrl);
    await client.connect();
  });
  afterAll(() => holdpoint?.stop());

  it('may bind a modest limit', async () => {
    const { rows } = await client.query('SELECT id FROM orders ORDER BY id LIMIT $1', [3]);
    expect(rows).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
  });

  it('waits with a large one', async () => {
    const held = once(client, 'notice');
    const answer = client.query('SELECT id FROM orders ORDER BY id LIMIT $1', [8000]).catch(() => null);
    const [notice] = await held;
    expect(notice).toMatchObject({ message: expect.stringContaining('held for approval') });
    await client.end();
    await answer;
  });
});
