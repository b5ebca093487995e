/**
 * Owns strict reading of one message body: every field inside the body, text NUL-terminated and valid UTF-8, nothing
 * left over. Must never read past what it was given.
 */

import { ProtocolError } from '../../core/errors.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of `octets`, or null where they are not UTF-8. */
export function decodeText(octets: Buffer): string | null {
  if (octets.length <= SHORT && isAscii(octets)) return octets.toString('latin1');
  try {
    return utf8.decode(octets);
  } catch {
    return null;
  }
}

/** NAMEDATALEN - 1. */
const NAME_OCTETS = 63;

/** Octets up to which looking for ASCII first is faster than TextDecoder. */
const SHORT = 64;

function isAscii(octets: Buffer): boolean {
  for (const octet of octets) if (octet > 0x7f) return false;
  return true;
}

export class BufferReader {
  readonly #octets: Buffer;
  #at = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  uint8(): number {
    return this.bytes(1).readUInt8(0);
  }

  /** Counts are unsigned on the wire: a Bind may carry 65,535 parameters. */
  uint16(): number {
    return this.bytes(2).readUInt16BE(0);
  }

  int32(): number {
    return this.bytes(4).readInt32BE(0);
  }

  uint32(): number {
    return this.bytes(4).readUInt32BE(0);
  }

  bytes(count: number): Buffer {
    const end = this.#at + count;
    if (count < 0 || end > this.#octets.length)
      throw new ProtocolError('protocol_violation', 'a message is shorter than its fields');
    const part = this.#octets.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** Octets up to the next NUL, which is passed over. */
  terminated(): Buffer {
    const end = this.#octets.indexOf(0, this.#at);
    if (end < 0) throw new ProtocolError('protocol_violation', 'a text field has no terminator');
    const part = this.#octets.subarray(this.#at, end);
    this.#at = end + 1;
    return part;
  }

  /**
   * Of a prepared statement or a portal. The server keeps 63 octets of it (NAMEDATALEN), and takes longer names with
   * the same beginning for one.
   */
  name(): string {
    return this.#decoded(this.terminated().subarray(0, NAME_OCTETS));
  }

  text(): string {
    return this.#decoded(this.terminated());
  }

  #decoded(octets: Buffer): string {
    const text = decodeText(octets);
    if (text === null) throw new ProtocolError('sql_encoding', 'a name is not valid UTF-8');
    return text;
  }

  rest(): Buffer {
    return this.bytes(this.#octets.length - this.#at);
  }

  end(): void {
    if (this.#at !== this.#octets.length)
      throw new ProtocolError('protocol_violation', 'a message is longer than its fields');
  }
}
