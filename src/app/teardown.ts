/**
 * Owns the way down: parts stop in the reverse order of their start, and one that fails does not keep the others.
 * Must never know what a part is.
 */

import type { Logger } from '../core/ports.ts';

export interface Teardown {
  /** `stop` runs before everything that was added earlier. */
  add(what: string, stop: () => Promise<unknown>): void;
  /** Whether every part stopped cleanly. Safe to call twice; never rejects. */
  run(): Promise<boolean>;
}

export function createTeardown(logger: Logger): Teardown {
  const steps: { what: string; stop: () => Promise<unknown> }[] = [];
  let running: Promise<boolean> | null = null;
  async function unwind(): Promise<boolean> {
    let clean = true;
    for (const { what, stop } of steps.reverse()) {
      try {
        await stop();
      } catch (error) {
        clean = false;
        logger.error({ err: error, part: what }, 'a part did not stop cleanly');
      }
    }
    return clean;
  }
  return {
    add: (what, stop) => void steps.push({ what, stop }),
    run() {
      running ??= unwind();
      return running;
    },
  };
}
