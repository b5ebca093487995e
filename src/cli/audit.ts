/**
 * Owns `holdpoint audit verify|tail`: whose log, with which key, and how the verdict reads. Must never change a log,
 * nor decide what is good: that is audit/verify.ts.
 */

import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { readVerifierKey } from '../audit/keys.ts';
import { filesBeside, type LogFiles, logFiles } from '../audit/layout.ts';
import { parseVerifierKey, type VerifierKey } from '../audit/note.ts';
import { renderRecord } from '../audit/render.ts';
import { tailLines } from '../audit/tail.ts';
import { type Verification, verifyLog } from '../audit/verify.ts';
import { messageOf } from '../core/errors.ts';
import { CommandFailed, EXIT } from './exit.ts';

export interface AuditCommandDeps {
  /** The state directory that a configuration names. */
  stateDirOf(configPath: string): Promise<string>;
}

interface WhichLog {
  readonly config?: string;
  readonly dir?: string;
}

interface VerifyFlags extends WhichLog {
  readonly key?: string;
  readonly checkpoints?: string;
  readonly witness?: string;
  readonly requireComplete?: true;
  readonly json?: true;
}

interface TailFlags extends WhichLog {
  readonly lines: string;
  readonly follow?: true;
  readonly json?: true;
}

export function registerAudit(program: Command, deps: AuditCommandDeps): void {
  const audit = program.command('audit').description('look at the audit log, and verify it');
  audit
    .command('verify')
    .description('say whether the log is as it was signed, and name the first record that is not')
    .argument('[file]', 'a log, with its other files beside it')
    .option('--config <file>', 'the configuration whose state_dir has the log')
    .option('--dir <directory>', 'the state directory that has the log')
    .option('--key <verifier-key>', 'the verifier key that you kept; else the one beside the log')
    .option('--checkpoints <file>', 'its checkpoints, where they are not beside the log')
    .option('--witness <file>', 'checkpoints of this log that you kept elsewhere: it must extend them')
    .option('--require-complete', 'fail when records at the end are not covered by a checkpoint yet')
    .option('--json', 'the verdict as JSON')
    .addHelpText('after', '\nExit codes: 0 as it was signed, 1 not, 2 usage, 3 fault.')
    .action((file: string | undefined, flags: VerifyFlags) => verify(file, flags, deps));
  audit
    .command('tail')
    .description('show the last records')
    .argument('[file]', 'a log')
    .option('--config <file>', 'the configuration whose state_dir has the log')
    .option('--dir <directory>', 'the state directory that has the log')
    .option('-n, --lines <count>', 'how many', '10')
    .option('-f, --follow', 'go on with what is added')
    .option('--json', 'the lines as they are in the log')
    .action((file: string | undefined, flags: TailFlags) => tail(file, flags, deps));
}

async function verify(file: string | undefined, flags: VerifyFlags, deps: AuditCommandDeps): Promise<void> {
  const { records } = await filesOf(file, flags, deps);
  // What vouches for the records stays together: given checkpoints bring the leaf file and the key beside them.
  const witnesses = filesBeside(flags.checkpoints?.replace(/\.checkpoints$/, '.jsonl') ?? records);
  const checkpoints = flags.checkpoints ?? witnesses.checkpoints;
  if (!existsSync(records) && !existsSync(checkpoints)) throw usage(`no audit log at ${records}`);
  const verdict = await verifyLog({
    records,
    checkpoints,
    leaves: witnesses.leaves,
    key: keyOf(witnesses, flags.key),
    now: Date.now(),
    requireComplete: flags.requireComplete === true,
    ...(flags.witness === undefined ? {} : { witnessed: textOf(flags.witness) }),
  });
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ file: records, ...verdict }, null, 2)}\n`
      : verdictText(records, verdict, flags.key === undefined),
  );
  if (!verdict.ok) throw new CommandFailed(EXIT.no, []);
}

function verdictText(file: string, verdict: Verification, keyFromBeside: boolean): string {
  const { ok, records, covered, root, checkpoints, key, firstBad, problems, warnings, gaps } = verdict;
  const lines = [
    `${file} is ${ok ? '' : 'NOT '}as it was signed`,
    ...problems.map((problem) => `  wrong        ${problem}`),
    `  records      ${records}${firstBad ? ' good ones before the first bad one' : ''}, ${covered} of them covered by a checkpoint`,
    `  tree head    size ${covered}, root ${root}`,
    `  checkpoints  ${checkpoints} signed by ${key}`,
    ...gaps.map((gap) => `  gap          record ${gap.seq}, ${gap.time}: ${JSON.stringify(gap.detail)}`),
    ...warnings.map((warning) => `  note         ${warning}`),
  ];
  if (keyFromBeside)
    lines.push('  note         the key came from beside the log: give --key to rely on one that you kept');
  return `${lines.join('\n')}\n`;
}

async function tail(file: string | undefined, flags: TailFlags, deps: AuditCommandDeps): Promise<void> {
  const files = await filesOf(file, flags, deps);
  if (!existsSync(files.records)) throw usage(`no audit log at ${files.records}`);
  if (!/^\d{1,9}$/.test(flags.lines)) throw usage(`not a number of lines: ${flags.lines}`);
  const stop = new AbortController();
  if (flags.follow) process.once('SIGINT', () => stop.abort());
  for await (const line of tailLines(files.records, Number(flags.lines), flags.follow ? stop.signal : null))
    process.stdout.write(`${flags.json ? line : renderRecord(line)}\n`);
}

async function filesOf(file: string | undefined, which: WhichLog, deps: AuditCommandDeps): Promise<LogFiles> {
  const { config, dir } = which;
  if ([file, config, dir].filter((given) => given !== undefined).length !== 1)
    throw usage('say which log: a file, --dir or --config, and one of them only');
  if (file !== undefined) return filesBeside(file);
  return logFiles(dir ?? (await deps.stateDirOf(config ?? '')));
}

function keyOf(files: LogFiles, given: string | undefined): VerifierKey {
  try {
    return given === undefined ? readVerifierKey(files.publicKey) : parseVerifierKey(given);
  } catch (error) {
    const why = messageOf(error);
    throw usage(given === undefined ? `no verifier key beside the log, give --key: ${why}` : `--key: ${why}`);
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw usage(messageOf(error));
  }
}

function usage(line: string): CommandFailed {
  return new CommandFailed(EXIT.usage, [line]);
}
