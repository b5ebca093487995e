/** Owns the real clock and the real randomness behind the ports. Must never be imported by a pure folder. */

import { randomBytes } from 'node:crypto';
import type { Clock, Ids } from '../core/ports.ts';
import { ticketId } from '../core/ticket.ts';

/** The longest delay that a Node timer takes; longer ones are waited for in parts. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const machineClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    let timer: NodeJS.Timeout;
    const arm = (left: number) => {
      const part = Math.min(left, LONGEST_TIMER);
      timer = setTimeout(() => (left > part ? arm(left - part) : callback()), part);
      timer.unref();
    };
    arm(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/** Decision ids: 12 hex digits of epoch milliseconds, then 80 random bits: sortable, unguessable. */
export const machineIds: Ids = {
  decision: () => `${Date.now().toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`,
  ticket: () => ticketId(randomBytes(5)),
};
