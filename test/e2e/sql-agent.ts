/** The agent at the database: one session, with node-postgres. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
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

/** What `pg` knows of a session beside its public face. */
type Inside = { processID: number; secretKey: number; connection: { stream: Socket } };

/** A CancelRequest for the session, on a connection of its own. Resolves once the server has closed it. */
export async function cancel({ client }: Session, url: string): Promise<void> {
  const { processID, secretKey } = client as unknown as Inside;
  const { hostname, port } = new URL(url);
  const packet = Buffer.alloc(16);
  for (const [index, value] of [16, 80_877_102, processID, secretKey].entries())
    packet.writeInt32BE(value, index * 4);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.end(packet);
  socket.resume();
  await once(socket, 'close');
}

/** The agent's process dies: its connection is cut without a word. */
export function cut({ client }: Session): void {
  (client as unknown as Inside).connection.stream.destroy();
}
