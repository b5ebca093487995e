/** Owns the command line as a whole: every command group, usage errors, and the one way a failure is said. */

import { Command, CommanderError } from 'commander';
import { loadConfig } from '../config/load.ts';
import { registerApprovals } from './approvals.ts';
import { registerAudit } from './audit.ts';
import { registerCa } from './ca.ts';
import { registerConfig } from './config.ts';
import { EXIT, type ExitCode, failureOf } from './exit.ts';
import { registerStart } from './start.ts';

/** Runs one command line. Resolves to its exit code; never rejects. */
export async function run(argv: readonly string[], version: string): Promise<ExitCode> {
  const program = new Command('holdpoint')
    .description(
      'An egress policy proxy for AI agents: it reads, decides, holds for a person, and leaves evidence.',
    )
    .version(version)
    .showHelpAfterError('(--help says what there is)');
  const stateDirOf = async (file: string) => loadConfig(file, process.env).state_dir;
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

/** Errors come back as values of this process, at every depth, and not as an exit with a code of commander's own. */
function strict(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) strict(child);
}
