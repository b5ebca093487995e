/**
 * Owns bodies that are kept whole on disk while somebody decides: a file of mode 0600 in the state directory,
 * without a name from the moment it is open, so that nothing is left of it whatever happens. Must never keep more
 * than LIMITS.httpHeldBody.
 */

import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';

export interface HeldBody {
  readonly size: number;
  /** Hex, of all octets. */
  readonly sha256: string;
  /** The octets, from the start. */
  read(): Readable;
  dispose(): Promise<void>;
}

/**
 * @param fill Hands over the octets in order, waiting for each to be taken.
 * @throws ProtocolError `request_too_large`, or whatever `fill` throws; nothing is kept then
 */
export async function holdBody(
  directory: string,
  fill: (take: (chunk: Buffer) => Promise<void>) => Promise<void>,
): Promise<HeldBody> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, randomUUID());
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
    const hash = createHash('sha256');
    let size = 0;
    await fill(async (chunk) => {
      if (size + chunk.length > LIMITS.httpHeldBody) {
        throw new ProtocolError(
          'request_too_large',
          `a body that has to wait may have ${LIMITS.httpHeldBody} octets`,
        );
      }
      hash.update(chunk);
      await writeAll(file, chunk, size);
      size += chunk.length;
    });
    return {
      size,
      sha256: hash.digest('hex'),
      read: () => file.createReadStream({ start: 0, autoClose: false }),
      dispose: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function writeAll(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done);
    done += bytesWritten;
  }
}
