/**
 * Owns waiting for whatever comes first: an answer, the client's going, our stopping, the end of patience. Must never
 * reject, nor change the hold.
 */

import type { Clock, Hold, HoldResult } from '../core/ports.ts';

export type Waited =
  | { readonly kind: 'answered'; readonly result: HoldResult }
  | { readonly kind: 'gone' | 'stopping' | 'waited' };

/** Whichever comes first. An answer that is there already wins over all but a client that is gone already. */
export async function waitForAnswer(
  hold: Hold,
  gone: AbortSignal,
  stopping: AbortSignal,
  clock: Clock,
  waitMs: number,
): Promise<Waited> {
  if (gone.aborted) return { kind: 'gone' };
  const answered = hold.settled.then((result): Waited => ({ kind: 'answered', result }));
  const listeners = new AbortController();
  const { signal } = listeners;
  let cancelTimer = () => {};
  const interrupted = new Promise<Waited>((resolve) => {
    gone.addEventListener('abort', () => resolve({ kind: 'gone' }), { signal });
    if (stopping.aborted) resolve({ kind: 'stopping' });
    else stopping.addEventListener('abort', () => resolve({ kind: 'stopping' }), { signal });
    cancelTimer = clock.after(waitMs, () => resolve({ kind: 'waited' }));
  });
  try {
    return await Promise.race([answered, interrupted]);
  } finally {
    listeners.abort();
    cancelTimer();
  }
}
