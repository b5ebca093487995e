/**
 * Owns the way down: parts stop in the reverse order of their start, and one that fails does not keep the others.
 * Must never know what a part is.
 */

import type { Logger } from '../core/ports.ts';

export interface Teardown {
  /** `stop` runs before everything that was added earlier. */
  add(what: string, stop: () => Promise<unknown>): void;
  /** Safe to call twice; never rejects. */
  run(): Promise<void>;
}

export function createTeardown(logger: Logger): Teardown {
  const steps: { what: string; stop: () => Promise<unknown> }[] = [];
  let running: Promise<void> | null = null;
  async function unwind(): Promise<void> {
    for (const { what, stop } of steps.reverse()) {
      try {
        await stop();
      } catch (error) {
        logger.error({ err: error, part: what }, 'a part did not stop cleanly');
      }
    }
  }
  return {
    add: (what, stop) => void steps.push({ what, stop }),
    run() {
      running ??= unwind();
      return running;
    },
  };
}
