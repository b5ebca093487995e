/**
 * Owns which cancel key belongs to which session. Keys are compared in constant time, and a wrong one looks no
 * different from a right one. Must never let a server's own key out.
 */

import { timingSafeEqual } from 'node:crypto';
import type { CancelKey } from '../../protocol/postgres/events.ts';

export interface CancelKeys {
  /** Returns what takes the key back. */
  register(ours: CancelKey, cancel: () => void): () => void;
  /** Cancels what `key` belongs to, if it belongs to anything. */
  present(key: CancelKey): void;
}

export function createCancelKeys(): CancelKeys {
  const sessions = new Map<number, { secret: Buffer; cancel: () => void }>();
  return {
    register(ours, cancel) {
      const entry = { secret: ours.secret, cancel };
      sessions.set(ours.pid, entry);
      return () => {
        if (sessions.get(ours.pid) === entry) sessions.delete(ours.pid);
      };
    },
    present(key) {
      const entry = sessions.get(key.pid);
      if (entry === undefined || entry.secret.length !== key.secret.length) return;
      if (timingSafeEqual(entry.secret, key.secret)) entry.cancel();
    },
  };
}
