/** For what happens soon and tells nobody: looks until it is there. */

import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY = 15;

/** The first answer of `look` that is neither null, undefined nor false. Rejects after `ms`. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  ms = 20_000,
): Promise<Exclude<T, null | undefined | false>> {
  for (const until = Date.now() + ms; ; ) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false)
      return found as Exclude<T, null | undefined | false>;
    if (Date.now() >= until) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await delay(LOOK_EVERY);
  }
}
