/**
 * Owns the command line as a whole: every command group, usage errors, and the one way a failure is said. Must never
 * hold what a command does.
 */

import { Command, CommanderError } from 'commander';
import { loadStateDir } from '../config/load.ts';
import { explainHttp } from '../protocol/http/explain.ts';
import { explainSql } from '../protocol/postgres/explain.ts';
import { createSqlAnalyser } from '../protocol/sql/analyser.ts';
import { registerApprovals } from './approvals.ts';
import { registerAudit } from './audit.ts';
import { registerCa } from './ca.ts';
import { registerConfig } from './config.ts';
import { EXIT, type ExitCode, failureOf } from './exit.ts';
import { type ExplainDeps, registerExplain } from './explain.ts';
import { registerStart } from './start.ts';

/** Runs one command line. Resolves to its exit code; never rejects. */
export async function run(argv: readonly string[], version: string): Promise<ExitCode> {
  const program = new Command('holdpoint')
    .description(
      'An egress policy proxy for AI agents: it reads, decides, holds for a person, and leaves evidence.',
    )
    .version(version)
    .showHelpAfterError('(--help says what there is)');
  const stateDirOf = async (file: string) => loadStateDir(file, process.env);
  registerStart(program, version);
  registerApprovals(program, {
    env: process.env,
    write: (text) => void process.stdout.write(text),
  });
  registerAudit(program, { stateDirOf });
  registerCa(program, {
    stateDirOf,
    now: () => Date.now(),
    write: (text) => void process.stdout.write(text),
  });
  registerExplain(program, offlineFacts);
  registerConfig(program);
  strict(program);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const { code, lines } = failureOf(error);
    for (const line of lines) process.stderr.write(`holdpoint: ${line}\n`);
    return code;
  }
}

/** What the live paths would make of a text or a call, without a connection. */
function offlineFacts(): ExplainDeps {
  const analyser = createSqlAnalyser();
  return {
    sqlFacts: async (text) => explainSql(await analyser.analyse(text)),
    httpFacts: (call) => explainHttp(call).facts,
    close: () => analyser.close(),
  };
}

/** Errors come back as values of this process, at every depth, and not as an exit with a code of commander's own. */
function strict(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) strict(child);
}
