/**
 * Owns how long to wait before Slack is tried again. Must never give up by itself.
 */

import { LIMITS } from '../../core/limits.ts';

/** Milliseconds before the next attempt after `failures` in a row (from 1 on). */
export function retryDelay(failures: number): number {
  const doubled = LIMITS.slackRetryFirst * 2 ** Math.min(Math.max(failures - 1, 0), 16);
  return Math.min(doubled, LIMITS.slackRetryLast);
}
