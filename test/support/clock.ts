/** A clock that moves only when told to. */

import type { Clock } from '../../src/core/ports.ts';

export interface HandClock extends Clock {
  /** Moves time on, firing what falls due, in order. */
  advance(ms: number): void;
  /** How many timers are set. */
  readonly timers: number;
}

export function handClock(start = Date.parse('2026-01-02T03:04:05Z')): HandClock {
  let now = start;
  let timers: { at: number; callback: () => void }[] = [];
  return {
    now: () => now,
    after(ms, callback) {
      const timer = { at: now + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        now = next.at;
        timers = timers.filter((timer) => timer !== next);
        next.callback();
      }
      now = until;
    },
    get timers() {
      return timers.length;
    },
  };
}
