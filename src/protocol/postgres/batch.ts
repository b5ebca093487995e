/**
 * Owns the batch: what a client sent up to its Sync (or Query, Flush, function call), kept until all of it is decided.
 * Nothing of it goes on while one message of it waits. Must never decide anything.
 */

import { LIMITS } from '../../core/limits.ts';
import type { Frame } from './framer.ts';
import { decodeFrontend, type FrontendMessage } from './frontend.ts';
import type { Replies } from './replies.ts';

export interface Item {
  readonly message: FrontendMessage;
  readonly raw: Buffer;
}

export class Batch {
  readonly items: Item[] = [];
  #octets = 0;

  /** True once it ends: by the message that ends it, or by its bound. @throws ProtocolError */
  add(frame: Frame): boolean {
    const message = decodeFrontend(frame);
    this.items.push({ message, raw: frame.raw });
    this.#octets += frame.raw.length;
    return endsBatch(message) || this.full;
  }

  /** At its bound it is decided as far as it goes, and the rest of it as another. */
  get full(): boolean {
    return this.items.length >= LIMITS.pgBatchMessages || this.#octets >= LIMITS.pgBatchBytes;
  }

  /** Ended by its bound, not by a message that makes the server answer. */
  get unanswered(): boolean {
    const last = this.items.at(-1);
    return last !== undefined && !endsBatch(last.message);
  }
}

function endsBatch({ kind }: FrontendMessage): boolean {
  return kind === 'sync' || kind === 'query' || kind === 'flush' || kind === 'function';
}

/** Whether names, settings and transaction are as they will be when the batch runs. */
export function canBeDecided(batch: Batch, replies: Replies): boolean {
  if (replies.quiet) return true;
  const defined = new Set<string>();
  let judged = false;
  for (const { message } of batch.items) {
    if (message.kind === 'parse') defined.add(`S${message.name}`);
    if (message.kind === 'bind') {
      // The unnamed statement is whatever the batch on its way leaves behind.
      if (message.statement === '' && !defined.has('S')) return false;
      defined.add(`P${message.portal}`);
    }
    if (message.kind === 'execute' && !defined.has(`P${message.portal}`)) return false;
    judged ||= ['query', 'parse', 'bind', 'execute', 'function'].includes(message.kind);
  }
  return !judged || replies.steady;
}
