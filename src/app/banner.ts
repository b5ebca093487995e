/** Owns what is said when Holdpoint is ready. Pure text; must never promise what was not started. */

import { relative } from 'node:path';
import type { Holdpoint } from '../app.ts';
import type { Config } from '../config/schema.ts';
import { addressText } from '../core/address.ts';

export function banner(config: Config, file: string, holdpoint: Holdpoint): string {
  const lines = [
    `Holdpoint is ready. Policy ${holdpoint.revision.slice(0, 19)}, mode ${config.policy.mode}.`,
    ...holdpoint.addresses.map(({ key, address }) => `  ${key.padEnd(18)} ${addressText(address)}`),
    ...(config.embedded_postgres ? ['', ...trial(config, file, holdpoint)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** Four commands for the sample data of deploy/local; each works when pasted in the folder Holdpoint was started in. */
function trial(config: Config, file: string, { addresses }: Holdpoint): string[] {
  const postgres = addresses.find(({ key }) => key.startsWith('postgres '))?.address;
  const control = addresses.find(({ key }) => key === 'control')?.address;
  const reviewer = config.approvals.tokens.find(
    (token) => 'file' in token && token.person.toLowerCase() !== config.agent.owner.toLowerCase(),
  );
  if (!postgres || !control || !reviewer || !('file' in reviewer)) return [];
  const sql = (text: string) =>
    `PGPASSWORD=agent psql -h ${postgres.host} -p ${postgres.port} -U agent app -c "${text}"`;
  const url = `--url http://${addressText(control)} --token-file ${pathText(reviewer.file)}`;
  return [
    'Try it, from this folder, in another terminal:',
    '',
    '  1. A read that passes:',
    `     ${sql('SELECT id, name, country FROM customers WHERE id = 7')}`,
    '  2. A bulk export, which waits for a person:',
    `     ${sql('SELECT * FROM customers')}`,
    `  3. The person, ${reviewer.person}, in a third terminal:`,
    `     npx holdpoint approvals approve latest ${url}`,
    '  4. The log of it all, verified:',
    `     npx holdpoint audit verify --config ${pathText(file)}`,
    '',
    'Without psql: node deploy/local/query.mjs "SELECT …" runs a statement as the agent.',
  ];
}

function pathText(path: string): string {
  const near = relative(process.cwd(), path);
  const shown = near.startsWith('..') ? path : near;
  return /^[\w./-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", `'\\''`)}'`;
}
