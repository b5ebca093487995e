/**
 * Owns what the rest of a batch says about a message in it: whether a Parse is bound, whether a portal is read bit by
 * bit. Must never know the session.
 */

import type { Item } from './batch.ts';

/** Whether what was parsed under `name` is bound later in the batch, before another Parse takes the name. */
export function isBound(name: string, items: readonly Item[], from: number): boolean {
  for (let index = from; index < items.length; index += 1) {
    const message = items[index]?.message;
    if (message?.kind === 'bind' && message.statement === name) return true;
    if (message?.kind === 'parse' && message.name === name) return false;
  }
  return false;
}

/** Whether the batch asks for only some rows of the portal, before another Bind takes its name. */
export function isLimited(portal: string, items: readonly Item[], from: number): boolean {
  for (let index = from; index < items.length; index += 1) {
    const message = items[index]?.message;
    if (message?.kind === 'execute' && message.portal === portal) return message.maxRows > 0;
    if (message?.kind === 'bind' && message.portal === portal) return false;
  }
  return false;
}
