/**
 * Owns reading a file of lines without holding it whole: octets between newlines, with their place. Must never
 * decode them, nor change the file.
 */

import { createReadStream } from 'node:fs';
import { LIMITS } from '../core/limits.ts';

export interface Line {
  /** Without its newline. Cut at `LIMITS.auditRecord` + 1 octets: one over the bound is enough to refuse it. */
  readonly octets: Buffer;
  /** Where it starts in the file. */
  readonly offset: number;
  /** Where the next one starts. */
  readonly end: number;
  /** False for what is left after the last newline. */
  readonly ended: boolean;
}

const NEWLINE = 0x0a;
const CHUNK = 256 * 1024;

/** The lines of a file from `start`, in order; an unended rest comes last, and only if it has octets. */
export async function* linesOf(path: string, start = 0): AsyncGenerator<readonly Line[]> {
  let held: Buffer[] = [];
  let heldOctets = 0;
  let offset = start;
  let position = start;
  for await (const chunk of createReadStream(path, { start, highWaterMark: CHUNK })) {
    const octets: Buffer = chunk;
    const lines: Line[] = [];
    let from = 0;
    for (let at = octets.indexOf(NEWLINE); at >= 0; at = octets.indexOf(NEWLINE, from)) {
      const part = octets.subarray(from, at);
      const end = position + at + 1;
      lines.push({ octets: bounded([...held, part]), offset, end, ended: true });
      [held, heldOctets, offset, from] = [[], 0, end, at + 1];
    }
    const rest = octets.subarray(from);
    if (rest.byteLength > 0 && heldOctets <= LIMITS.auditRecord) held.push(rest);
    heldOctets += rest.byteLength;
    position += octets.byteLength;
    if (lines.length > 0) yield lines;
  }
  if (heldOctets > 0) yield [{ octets: bounded(held), offset, end: position, ended: false }];
}

function bounded(parts: readonly Buffer[]): Buffer {
  const [only] = parts;
  const whole = parts.length === 1 && only ? only : Buffer.concat(parts);
  return whole.byteLength > LIMITS.auditRecord ? whole.subarray(0, LIMITS.auditRecord + 1) : whole;
}
