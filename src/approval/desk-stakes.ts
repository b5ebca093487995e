/**
 * Owns the clients that wait: which stakes each ticket has, and waking them. Must never know states or the store.
 */

import type { HoldResult } from '../core/ports.ts';

export interface Stake {
  /** Resolves once; for good. */
  readonly settled: Promise<HoldResult>;
  settle(result: HoldResult): void;
}

export interface Stakes {
  add(ticketId: string): Stake;
  /** False where it had gone already. */
  remove(ticketId: string, stake: Stake): boolean;
  has(ticketId: string, stake: Stake): boolean;
  count(ticketId: string): number;
  settleAll(ticketId: string, result: HoldResult): void;
  /** Settles all, and forgets them: nothing can come of them any more. */
  finish(ticketId: string, result: HoldResult): void;
  /** Tickets that somebody waits for. */
  tickets(): string[];
}

export function createStakes(): Stakes {
  const byTicket = new Map<string, Set<Stake>>();
  const settleAll = (ticketId: string, result: HoldResult) => {
    for (const stake of byTicket.get(ticketId) ?? []) stake.settle(result);
  };
  return {
    add(ticketId) {
      const stake = createStake();
      const stakes = byTicket.get(ticketId) ?? new Set();
      byTicket.set(ticketId, stakes.add(stake));
      return stake;
    },
    remove(ticketId, stake) {
      const stakes = byTicket.get(ticketId);
      const removed = stakes?.delete(stake) ?? false;
      if (stakes?.size === 0) byTicket.delete(ticketId);
      return removed;
    },
    has: (ticketId, stake) => byTicket.get(ticketId)?.has(stake) ?? false,
    count: (ticketId) => byTicket.get(ticketId)?.size ?? 0,
    settleAll,
    finish(ticketId, result) {
      settleAll(ticketId, result);
      byTicket.delete(ticketId);
    },
    tickets: () => [...byTicket.keys()],
  };
}

function createStake(): Stake {
  let settle: (result: HoldResult) => void = () => undefined;
  const settled = new Promise<HoldResult>((resolve) => {
    settle = resolve;
  });
  return { settled, settle };
}
