/** The agent at the database: one session, with node-postgres. */

import pg from 'pg';

/** How a statement ended, as the agent sees it. */
export type Ended =
  | { readonly rows: readonly unknown[] }
  | {
      readonly sqlstate: string;
      readonly message: string;
      readonly detail: string;
      readonly hint: string;
    };

export interface Session {
  /** Never rejects for what the server says. */
  run(sql: string, values?: readonly unknown[]): Promise<Ended>;
  readonly client: pg.Client;
  end(): Promise<void>;
}

export async function session(url: string): Promise<Session> {
  const client = new pg.Client(url);
  // A server that goes away says so to whoever waits for an answer.
  client.on('error', () => {});
  await client.connect();
  return {
    client,
    async run(sql, values) {
      try {
        const { rows } = await client.query(sql, values && [...values]);
        return { rows };
      } catch (error) {
        const { code = '', message, detail = '', hint = '' } = error as pg.DatabaseError;
        return { sqlstate: code, message, detail, hint };
      }
    },
    end: () => client.end().catch(() => {}),
  };
}

/** One statement in a session of its own. */
export async function runOnce(url: string, sql: string, values?: readonly unknown[]): Promise<Ended> {
  const own = await session(url);
  return own.run(sql, values).finally(() => own.end());
}

/** The single value of a single row, straight from the server. */
export async function singleValue(url: string, sql: string): Promise<unknown> {
  const ended = await runOnce(url, sql);
  if (!('rows' in ended)) throw new Error(ended.message);
  return Object.values(ended.rows[0] as object)[0];
}
