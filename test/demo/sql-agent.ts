/** The agent at the database: psql where there is one, else node-postgres. Tells what came back, as the agent sees it. */

import pg from 'pg';
import { onPath } from '../support/on-path.ts';
import { run } from '../support/run.ts';

export interface SqlOutcome {
  /** Rows, or lines of a COPY; null when there was an error. */
  readonly rows: number | null;
  readonly sqlstate: string | null;
  /** The error with its detail and hint, or the last line of the result. */
  readonly text: string;
}

export interface SqlAgent {
  readonly client: string;
  run(url: string, sql: string): Promise<SqlOutcome>;
}

export function sqlAgent(): SqlAgent {
  return onPath('psql') ? { client: 'psql', run: withPsql } : { client: 'pg', run: withPg };
}

async function withPsql(url: string, sql: string): Promise<SqlOutcome> {
  const { code, stdout, stderr } = await run('psql', ['-X', '-A', '-v', 'VERBOSITY=verbose', url, '-c', sql]);
  if (code !== 0) {
    const sqlstate = /^(?:ERROR|FATAL):\s+([0-9A-Z]{5}):/m.exec(stderr)?.[1] ?? null;
    return { rows: null, sqlstate, text: stderr.trim() };
  }
  const lines = stdout.trimEnd().split('\n');
  const count = /^\((\d+) rows?\)$/.exec(lines.at(-1) ?? '')?.[1];
  return {
    rows: count === undefined ? lines.length : Number(count),
    sqlstate: null,
    text: lines.at(-1) ?? '',
  };
}

async function withPg(url: string, sql: string): Promise<SqlOutcome> {
  const client = new pg.Client(url);
  try {
    await client.connect();
    const { rowCount, command } = await client.query(sql);
    return { rows: rowCount ?? 0, sqlstate: null, text: `${command} ${rowCount ?? ''}`.trimEnd() };
  } catch (error) {
    const { code, message, severity, detail, hint } = error as Partial<pg.DatabaseError>;
    const lines = [`${severity ?? 'ERROR'}:  ${code ?? ''}: ${message}`];
    if (detail) lines.push(`DETAIL:  ${detail}`);
    if (hint) lines.push(`HINT:  ${hint}`);
    return { rows: null, sqlstate: code ?? null, text: lines.join('\n') };
  } finally {
    await client.end().catch(() => {});
  }
}
