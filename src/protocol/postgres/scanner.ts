/**
 * Owns the cutting of a server's octets: messages are skipped by their length and relayed in the chunks they came in;
 * only the few types that are read are put together. Rows are counted, never looked at.
 */

import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { BACKEND } from './messages.ts';

/**
 * Told of every message but DataRow and CopyData, in order, with its body where the type is read whole. Answers with
 * what the client gets: null for the message as it is, other octets instead of it, or `cut`: nothing from here on.
 */
export type BackendReader = (type: number, body: Buffer | null) => Buffer | null | 'cut';

const HEAD = 5;

const READ_WHOLE = new Set<number>([
  BACKEND.authentication,
  BACKEND.backendKeyData,
  BACKEND.commandComplete,
  BACKEND.error,
  BACKEND.negotiateVersion,
  BACKEND.parameterDescription,
  BACKEND.parameterStatus,
  BACKEND.readyForQuery,
]);

export class BackendScanner {
  /** A head, or a message that is read whole, which began in an earlier chunk. None of it was relayed yet. */
  #partial: Buffer = Buffer.alloc(HEAD);
  #kept = 0;
  /** Octets still to come of a message that is relayed as it comes. */
  #skip = 0;
  #rows = 0;
  #octets = 0;
  /** While true, rows are read whole too: for the one question that the session asks for itself. */
  readsRows = false;

  /** True between messages, as the client sees it: something else may be said to it now. */
  get atBoundary(): boolean {
    return this.#skip === 0;
  }

  /** DataRows, and octets of DataRow and CopyData, since it was last asked. */
  takeCounts(): { rows: number; octets: number } {
    const counts = { rows: this.#rows, octets: this.#octets };
    this.#rows = 0;
    this.#octets = 0;
    return counts;
  }

  /** What the client gets of this chunk. @throws ProtocolError when it cannot be a server's stream. */
  scan(chunk: Buffer, read: BackendReader): Buffer[] {
    const out: Buffer[] = [];
    const length = chunk.length;
    let from = 0;
    let at = 0;
    while (at < length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      const size = this.#kept === 0 && length - at >= HEAD ? sizeOf(chunk, at) : 0;
      const type = chunk[at] ?? 0;
      if (size === 0 || (size > length - at && this.#isReadWhole(type, size))) {
        if (at > from) out.push(chunk.subarray(from, at));
        at = this.#gather(chunk, at);
        from = at;
        if (this.#complete(out, read) === 'cut') return out;
        continue;
      }
      if (this.#isCounted(type)) {
        if (type === BACKEND.dataRow) this.#rows += 1;
        this.#octets += size - HEAD;
      } else {
        const body = this.#isReadWhole(type, size) ? chunk.subarray(at + HEAD, at + size) : null;
        const instead = read(type, body);
        if (instead !== null) {
          if (at > from) out.push(chunk.subarray(from, at));
          if (instead === 'cut') return out;
          if (instead.length > 0) out.push(instead);
          from = at + size;
        }
      }
      this.#skip = Math.max(0, size - (length - at));
      at = Math.min(length, at + size);
    }
    if (length > from) out.push(from === 0 ? chunk : chunk.subarray(from));
    return out;
  }

  /** Rows and COPY data: counted, not told of. */
  #isCounted(type: number): boolean {
    return type === BACKEND.copyData || (type === BACKEND.dataRow && !this.readsRows);
  }

  /** An error too long to keep is none of ours: it goes by unread. */
  #isReadWhole(type: number, size: number): boolean {
    if (!READ_WHOLE.has(type) && !(type === BACKEND.dataRow && this.readsRows)) return false;
    if (size <= LIMITS.pgServerMessage) return true;
    if (type === BACKEND.error) return false;
    throw new ProtocolError('upstream_protocol', `the server sent ${size} octets where only few can be`);
  }

  /** Adds to the kept message what the chunk has of it. */
  #gather(chunk: Buffer, at: number): number {
    let next = this.#fill(chunk, at, HEAD);
    if (this.#kept < HEAD) return next;
    const size = sizeOf(this.#partial, 0);
    if (this.#isReadWhole(this.#partial.readUInt8(0), size)) next = this.#fill(chunk, next, size);
    return next;
  }

  #fill(chunk: Buffer, at: number, wanted: number): number {
    const step = Math.max(0, Math.min(wanted - this.#kept, chunk.length - at));
    if (this.#partial.length < wanted) {
      const grown = Buffer.allocUnsafe(wanted);
      this.#partial.copy(grown, 0, 0, this.#kept);
      this.#partial = grown;
    }
    chunk.copy(this.#partial, this.#kept, at, at + step);
    this.#kept += step;
    return at + step;
  }

  /** Passes the kept message on, once it is whole or is known to be of a type that is not read. */
  #complete(out: Buffer[], read: BackendReader): 'cut' | undefined {
    if (this.#kept < HEAD) return;
    const type = this.#partial.readUInt8(0);
    const size = sizeOf(this.#partial, 0);
    const whole = this.#isReadWhole(type, size);
    if (whole && this.#kept < size) return;
    const octets = this.#partial.subarray(0, this.#kept);
    this.#partial = Buffer.alloc(HEAD);
    this.#kept = 0;
    this.#skip = size - octets.length;
    if (this.#isCounted(type)) {
      if (type === BACKEND.dataRow) this.#rows += 1;
      this.#octets += size - HEAD;
      out.push(octets);
      return;
    }
    const instead = read(type, whole ? octets.subarray(HEAD) : null);
    if (instead === 'cut') return 'cut';
    const relayed = instead ?? octets;
    if (relayed.length > 0) out.push(relayed);
    return;
  }
}

function sizeOf(octets: Buffer, at: number): number {
  const length = octets.readInt32BE(at + 1);
  if (length < 4)
    throw new ProtocolError('upstream_protocol', `the server sent a message of length ${length}`);
  return length + 1;
}
