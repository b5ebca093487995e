/** The `holdpoint` command of a running instance, run as people run it. */

import { type Ran, run } from './run.ts';
import { PROGRAM, type Running } from './running.ts';

export function holdpoint(running: Running, ...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [PROGRAM, ...args, '--config', running.configFile]);
}
