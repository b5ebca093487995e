/**
 * Owns the cutting of a client's octets into messages: one pass, each type bounded before anything of it is kept,
 * a message inside one chunk never copied. Must never know what a message means, nor trust its length.
 */

import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import { FRONTEND, typeName } from './messages.ts';

/** One whole message with its five octets of head; for CopyData a run of messages, or a part of one. */
export interface Frame {
  readonly type: number;
  readonly raw: Buffer;
}

const HEAD = 5;

const BOUNDS: Readonly<Record<number, number>> = {
  [FRONTEND.query]: LIMITS.pgStatementMessage,
  [FRONTEND.parse]: LIMITS.pgStatementMessage,
  [FRONTEND.bind]: LIMITS.pgBindMessage,
  [FRONTEND.functionCall]: LIMITS.pgBindMessage,
  [FRONTEND.copyData]: LIMITS.pgCopyData,
  [FRONTEND.authentication]: LIMITS.pgAuthMessage,
  [FRONTEND.close]: LIMITS.pgSmallMessage,
  [FRONTEND.copyDone]: LIMITS.pgSmallMessage,
  [FRONTEND.copyFail]: LIMITS.pgSmallMessage,
  [FRONTEND.describe]: LIMITS.pgSmallMessage,
  [FRONTEND.execute]: LIMITS.pgSmallMessage,
  [FRONTEND.flush]: LIMITS.pgSmallMessage,
  [FRONTEND.sync]: LIMITS.pgSmallMessage,
  [FRONTEND.terminate]: LIMITS.pgSmallMessage,
};

/** The body of a whole message. */
export function bodyOf(frame: Frame): Buffer {
  return frame.raw.subarray(HEAD);
}

export class FrontendFramer {
  /** A message that began in an earlier chunk. Grows by doubling, so that small chunks cost linear time. */
  #partial: Buffer = Buffer.alloc(0);
  #kept = 0;
  /** Octets still to come of a CopyData message whose beginning was passed on. */
  #copying = 0;

  /** @throws ProtocolError on an unknown type, a length that cannot be, or one over its bound. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let at = this.#kept > 0 ? this.#resume(chunk, frames) : 0;
    while (at < chunk.length) {
      const copied = this.#copyRun(chunk, at);
      if (copied > at) {
        frames.push({ type: FRONTEND.copyData, raw: chunk.subarray(at, copied) });
        at = copied;
        continue;
      }
      const end = chunk.length - at >= HEAD ? at + sizeOf(chunk, at) : Number.POSITIVE_INFINITY;
      if (end > chunk.length) {
        this.#keep(chunk, at, chunk.length);
        break;
      }
      frames.push({ type: chunk.readUInt8(at), raw: chunk.subarray(at, end) });
      at = end;
    }
    return frames;
  }

  /** Where the CopyData that starts or goes on at `at` ends in this chunk; `at` itself where there is none. */
  #copyRun(chunk: Buffer, at: number): number {
    let end = at;
    for (;;) {
      const step = Math.min(this.#copying, chunk.length - end);
      this.#copying -= step;
      end += step;
      if (chunk.length - end < HEAD || chunk[end] !== FRONTEND.copyData) return end;
      this.#copying = sizeOf(chunk, end);
    }
  }

  /** Completes the kept message as far as `chunk` goes; returns how much of it was used. */
  #resume(chunk: Buffer, frames: Frame[]): number {
    let at = 0;
    if (this.#kept < HEAD) {
      at = Math.min(HEAD - this.#kept, chunk.length);
      this.#keep(chunk, 0, at);
      if (this.#kept < HEAD) return at;
    }
    const type = this.#partial.readUInt8(0);
    const size = sizeOf(this.#partial, 0);
    if (type === FRONTEND.copyData) {
      this.#copying = size - HEAD;
    } else {
      const used = Math.min(size - this.#kept, chunk.length - at);
      this.#keep(chunk, at, at + used, size);
      at += used;
      if (this.#kept < size) return at;
    }
    frames.push({ type, raw: this.#partial.subarray(0, this.#kept) });
    this.#partial = Buffer.alloc(0);
    this.#kept = 0;
    return at;
  }

  #keep(chunk: Buffer, from: number, to: number, size = 0): void {
    const kept = this.#kept + to - from;
    if (kept > this.#partial.length) {
      const wanted = Math.max(kept, Math.min(2 * kept, size), HEAD);
      const grown = Buffer.allocUnsafeSlow(wanted);
      this.#partial.copy(grown, 0, 0, this.#kept);
      this.#partial = grown;
    }
    chunk.copy(this.#partial, this.#kept, from, to);
    this.#kept = kept;
  }
}

/** Octets of the message at `at`, head included. */
function sizeOf(octets: Buffer, at: number): number {
  const type = octets.readUInt8(at);
  const bound = BOUNDS[type];
  if (bound === undefined)
    throw new ProtocolError('protocol_violation', `unknown message type ${typeName(type)} from the client`);
  const length = octets.readInt32BE(at + 1);
  if (length < 4)
    throw new ProtocolError('protocol_violation', `a message of type ${typeName(type)} has length ${length}`);
  if (length - 4 > bound)
    throw new ProtocolError(
      'request_too_large',
      `a message of type ${typeName(type)} has ${length - 4} octets; the bound is ${bound}`,
    );
  return length + 1;
}
