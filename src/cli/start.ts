/**
 * Owns `holdpoint start`: serve a configuration until a signal, and say on standard output when it is ready. Must
 * never know the parts: app.ts joins them.
 */

import type { Command } from 'commander';
import { StartProblems } from '../app/problems.ts';
import { ConfigError, loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { LIMITS } from '../core/limits.ts';
import type { Logger } from '../core/ports.ts';
import { createLogger } from '../observe/logger.ts';
import { CommandFailed, EXIT } from './exit.ts';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

export function registerStart(program: Command, version: string): void {
  program
    .command('start')
    .description('serve a configuration')
    .requiredOption('--config <file>', 'the configuration')
    .action(({ config }: { config: string }) => serve(config, version));
}

async function serve(file: string, version: string): Promise<void> {
  const config = await readConfig(file);
  const logger = createLogger(config.log.level);
  // From here on a signal is remembered, so that one during the start is not lost.
  const signalled = firstSignal(logger);
  // Only here: every other command starts without the servers, the parser and the policy engine.
  const [{ startHoldpoint }, { banner }] = await Promise.all([
    import('../app.ts'),
    import('../app/banner.ts'),
  ]);
  const holdpoint = await startHoldpoint(config, version, logger).catch((error: unknown) => {
    if (error instanceof StartProblems) throw new CommandFailed(EXIT.usage, error.lines);
    throw error;
  });
  process.stdout.write(banner(config, file, holdpoint));
  const signal = await signalled;
  logger.info({ signal }, 'stopping');
  if (!(await holdpoint.stop(signal)))
    throw new CommandFailed(EXIT.fault, ['it did not stop cleanly: the log above says which part, and why']);
}

/** A configuration that is wrong does not hide that an address is taken: all of it is said at once. */
async function readConfig(file: string): Promise<Config> {
  try {
    return loadConfig(file, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { addressProblems } = await import('../app/preflight.ts');
    throw new CommandFailed(EXIT.usage, [...error.problems, ...(await addressProblems(error.addresses))]);
  }
}

/**
 * Resolves at the first signal. Another one means it: the process ends by it, without waiting for anything. Nothing
 * is released by that, as nothing would be by a kill -9.
 */
function firstSignal(logger: Logger): Promise<NodeJS.Signals> {
  let asked: number | null = null;
  return new Promise((resolve) => {
    function take(signal: NodeJS.Signals): void {
      const now = performance.now();
      if (asked === null) {
        asked = now;
        resolve(signal);
      } else if (now - asked >= LIMITS.signalEcho) {
        logger.warn({ signal }, 'a second signal: leaving without waiting for what is under way');
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      }
    }
    for (const signal of SIGNALS) process.on(signal, take);
  });
}
