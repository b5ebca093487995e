/**
 * Owns one file that only grows: whole appends or none, fsync, and the promise that nobody else touches it. Must
 * never know what the octets mean.
 */

import {
  chmodSync,
  closeSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  openSync,
  statSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';

const syncData = promisify(fdatasync);

export class AppendFile {
  readonly #path: string;
  readonly #file: number;
  #octets: number;

  /** Opens the file, made if need be, for its owner alone. */
  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'a', 0o600);
    chmodSync(path, 0o600);
    this.#octets = fstatSync(this.#file).size;
  }

  /**
   * Writes into the page cache: a crash of the process keeps it, a crash of the machine may not. Synchronous,
   * because that takes 3 µs where a trip through the thread pool takes 100.
   */
  append(octets: Buffer): void {
    try {
      // A write may take less than it was given, for one when the disk fills up: then the next says why.
      for (let done = 0; done < octets.byteLength; ) done += writeSync(this.#file, octets, done);
      this.#octets += octets.byteLength;
    } catch (error) {
      this.#cutBack();
      throw error;
    }
  }

  /** Brings everything appended so far to disk. @throws when the file is not what was appended, or not there. */
  async sync(): Promise<void> {
    await syncData(this.#file);
    const file = fstatSync(this.#file);
    const named = statSync(this.#path);
    if (file.ino !== named.ino || file.dev !== named.dev) throw new Error(`${this.#path} was moved away`);
    if (file.size !== this.#octets) throw new Error(`${this.#path} was changed by somebody else`);
  }

  close(): void {
    closeSync(this.#file);
  }

  /** Half an append must not stay. Where that fails too, whoever opens the file next has to repair it. */
  #cutBack(): void {
    try {
      ftruncateSync(this.#file, this.#octets);
    } catch {
      // The append has failed already, and says why.
    }
  }
}
