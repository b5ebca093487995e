/** Owns reading the end of a log, and what is added to it. Must never judge what it reads: that is verifying. */

import { open } from 'node:fs/promises';
import { setInterval } from 'node:timers/promises';
import { octetsOf } from './leaf-file.ts';
import { linesOf } from './lines.ts';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;
/** Milliseconds between looks at a log that is followed. Looking works on every file system; being told does not. */
const POLL = 200;

/** The last `count` whole lines of a log, and with `follow` every line that is added until it aborts. */
export async function* tailLines(
  path: string,
  count: number,
  follow: AbortSignal | null,
): AsyncGenerator<string> {
  let position = await startOfLast(path, count);
  const read = async function* () {
    for await (const lines of linesOf(path, position)) {
      for (const line of lines) {
        if (!line.ended) continue;
        position = line.end;
        yield line.octets.toString('utf8');
      }
    }
  };
  yield* read();
  if (!follow) return;
  try {
    for await (const _ of setInterval(POLL, undefined, { signal: follow })) {
      const size = await octetsOf(path);
      // A log never shrinks: this is another one under the same name.
      if (size < position) position = 0;
      if (size > position) yield* read();
    }
  } catch (error) {
    if (!follow.aborted) throw error;
  }
}

/** Where the last `count` lines begin. */
async function startOfLast(path: string, count: number): Promise<number> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    let wanted = count + 1;
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - CHUNK);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
      for (let at = bytesRead - 1; at >= 0; at -= 1) {
        if (buffer[at] !== NEWLINE) continue;
        wanted -= 1;
        if (wanted === 0) return start + at + 1;
      }
      end = start;
    }
    return 0;
  } finally {
    await file.close();
  }
}
