/**
 * Owns one client's stake in a ticket, as the pipeline holds it. Each step takes a turn of the desk. Must never let
 * a stake that was given up release anything.
 */

import type { Hold, TicketStore } from '../core/ports.ts';
import type { Ticket } from '../core/ticket.ts';
import type { Endings } from './desk-endings.ts';
import { approversOf } from './desk-judgement.ts';
import type { Stakes } from './desk-stakes.ts';
import type { People } from './doors.ts';
import { met } from './quorum.ts';

export interface HoldOptions {
  readonly store: TicketStore;
  readonly people: People;
  readonly stakes: Stakes;
  readonly endings: Endings;
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Called within a turn of the desk. */
export function createHold({ store, people, stakes, endings, turn }: HoldOptions, ticket: Ticket): Hold {
  const { id } = ticket;
  const stake = stakes.add(id);
  if (ticket.state === 'approved') stake.settle({ state: 'approved' });

  async function release(): Promise<boolean> {
    if (!stakes.has(id, stake)) return false;
    const now = await endings.current(id);
    if (now?.state !== 'approved') return false;
    // Again, at the last moment: after a restart with other people or groups, those who approved may not count.
    if (!met(now.requirements, approversOf(now, people))) {
      await endings.end(now, 'stale', 'those who approved it may not approve it any more');
      return false;
    }
    return (await endings.end(now, 'released', 'released to the client that asked')) !== null;
  }

  async function stale(reason: string): Promise<void> {
    if (stakes.remove(id, stake)) await endings.abandon(id, reason, true);
  }

  async function park(): Promise<void> {
    if (!stakes.has(id, stake)) return;
    await store.park(id);
    stakes.remove(id, stake);
  }

  async function leave(reason: string): Promise<void> {
    if (!stakes.remove(id, stake)) return;
    stake.settle({ state: 'withdrawn', reason, by: null });
    if (stakes.count(id) === 0) await endings.abandon(id, reason, false);
  }

  return {
    ticket,
    settled: stake.settled,
    release: () => turn(release),
    stale: (reason) => turn(() => stale(reason)),
    park: () => turn(park),
    leave: (reason) => turn(() => leave(reason)),
  };
}
