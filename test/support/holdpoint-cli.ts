/** The `holdpoint` command, run as people run it. */

import { PROGRAM } from './program.ts';
import { type Ran, run } from './run.ts';

export function holdpoint(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [PROGRAM, ...args]);
}
