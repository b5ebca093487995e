/** Which other programs there are to test with. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Whether a program is on the PATH. Tests that need it are skipped where it is not, and the runner says so; CI sets
 * HOLDPOINT_REQUIRE_CLIENTS, and there its absence is an error.
 */
export function onPath(program: string): boolean {
  const found = (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found && process.env.HOLDPOINT_REQUIRE_CLIENTS)
    throw new Error(`${program} is not on the PATH, and HOLDPOINT_REQUIRE_CLIENTS asks for it`);
  return found;
}
