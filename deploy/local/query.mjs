// Runs one statement as the agent and shows what the agent sees: a stand-in for psql where there is none.
//
//   node deploy/local/query.mjs "SELECT id, total FROM orders WHERE id = 42"
//
// DATABASE_URL chooses another server or user. Exits 1 when the statement was refused or failed, 2 on wrong usage.

import pg from 'pg';

const SHOWN = 20;
const [statement, ...rest] = process.argv.slice(2);
if (statement === undefined || rest.length > 0) {
  console.error('usage: node deploy/local/query.mjs "SELECT …"');
  process.exit(2);
}

const client = new pg.Client(process.env.DATABASE_URL ?? 'postgres://agent:agent@127.0.0.1:6432/app');
client.on('notice', (notice) => console.error(`NOTICE:  ${notice.message}`));
try {
  await client.connect();
  const results = [await client.query({ text: statement, rowMode: 'array' })].flat();
  for (const result of results) show(result);
} catch (error) {
  complain(error);
  process.exitCode = 1;
} finally {
  await client.end().catch(() => {});
}

function show({ command, fields, rows, rowCount }) {
  if (fields.length === 0) return console.log(`${command} ${rowCount ?? ''}`.trimEnd());
  const text = (value) => (value === null ? '' : value instanceof Date ? value.toISOString() : String(value));
  const lines = [fields.map(({ name }) => name), ...rows.slice(0, SHOWN).map((row) => row.map(text))];
  const widths = fields.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
  const more = rows.length > SHOWN ? `, ${SHOWN} shown` : '';
  console.log(`(${rows.length} ${rows.length === 1 ? 'row' : 'rows'}${more})`);
}

function complain(error) {
  const code = error.code ? ` ${error.code}` : '';
  console.error(`${error.severity ?? 'ERROR'}${code}: ${error.message || error.errors?.join('; ')}`);
  if (error.detail) console.error(`DETAIL:  ${error.detail}`);
  if (error.hint) console.error(`HINT:  ${error.hint}`);
}
