/**
 * What a refusal looks like to each client: its own exception with SQLSTATE 42501, the transaction in the state that
 * PostgreSQL would have left it in, and a session that goes on. The default policy is in force.
 */

import pg from 'pg';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onPath } from '../support/on-path.ts';
import { run } from '../support/run.ts';
import { type Running, startHoldpoint } from '../support/running.ts';

const DENIED = 'DROP TABLE payments';
const ALLOWED = 'SELECT total FROM orders WHERE id = 1';

let holdpoint: Running;
let direct: pg.Client;

beforeAll(async () => {
  holdpoint = await startHoldpoint();
  direct = new pg.Client(holdpoint.directUrl);
  await direct.connect();
});

afterAll(async () => {
  await expect(direct.query('SELECT count(*)::int AS n FROM payments')).resolves.toMatchObject({
    rows: [{ n: 5000 }],
  });
  await direct.end();
  await holdpoint.stop();
});

describe('pg', () => {
  async function session(use: (client: pg.Client) => Promise<void>): Promise<void> {
    const client = new pg.Client(holdpoint.agentUrl);
    await client.connect();
    await use(client).finally(() => client.end());
  }
  const allowed = { rows: [{ total: expect.any(String) }] };

  it.each<[string, (client: pg.Client) => Promise<unknown>]>([
    ['simple', (client) => client.query(DENIED)],
    ['extended', (client) => client.query({ text: DENIED, queryMode: 'extended' } as pg.QueryConfig)],
    ['named', (client) => client.query({ name: 'denied', text: DENIED })],
    ['after an allowed one in the same text', (client) => client.query(`${ALLOWED}; ${DENIED}`)],
  ])('is told, and goes on: %s', (_, ask) =>
    session(async (client) => {
      await expect(ask(client)).rejects.toMatchObject({ code: '42501', severity: 'ERROR' });
      await expect(client.query(ALLOWED)).resolves.toMatchObject(allowed);
    }),
  );

  it('finds its transaction failed, and rolls it back', () =>
    session(async (client) => {
      await client.query('BEGIN');
      await expect(client.query(DENIED)).rejects.toMatchObject({ code: '42501' });
      await expect(client.query(ALLOWED)).rejects.toMatchObject({ code: '25P02' });
      await client.query('ROLLBACK');
      await expect(client.query(ALLOWED)).resolves.toMatchObject(allowed);
    }));
});

describe('postgres', () => {
  it('loses only the refused query of a pipeline', async () => {
    const sql = postgres(holdpoint.agentUrl, { max: 1, onnotice: () => {} });
    const outcomes = await Promise.allSettled([sql.unsafe(ALLOWED), sql.unsafe(DENIED), sql.unsafe(ALLOWED)]);
    await sql.end();
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: '42501' } });
  });
});

describe.runIf(onPath('psql'))('psql', () => {
  it('prints the reason, and runs the rest of the script', async () => {
    const { stdout, stderr } = await run(
      'psql',
      ['-X', '-At', '-v', 'VERBOSITY=verbose', holdpoint.agentUrl],
      {
        input: `${DENIED};\n${ALLOWED};\nBEGIN;\n${DENIED};\n${ALLOWED};\nROLLBACK;\n${ALLOWED};\n`,
      },
    );
    expect(stdout.match(/^\d+\.\d\d$/gm)).toHaveLength(2);
    expect(stderr.match(/^ERROR: {2}42501: /gm)).toHaveLength(2);
    expect(stderr.match(/^ERROR: {2}25P02: /gm)).toHaveLength(1);
    expect(stderr).toMatch(/^HINT: /m);
  });
});
