/** The `holdpoint` command, run as people run it. */

import { type Ran, run } from './run.ts';
import { PROGRAM } from './program.ts';

export function holdpoint(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [PROGRAM, ...args]);
}
