/** Octets of both sides' messages, for tests. */

export function message(type: string, body: string | Uint8Array = ''): Buffer {
  const octets = typeof body === 'string' ? Buffer.from(body) : body;
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(octets.length + 4, 1);
  return Buffer.concat([head, octets]);
}

export function int32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeInt32BE(value);
  return octets;
}

export function int16(value: number): Buffer {
  const octets = Buffer.alloc(2);
  octets.writeUInt16BE(value);
  return octets;
}

export function startup(minor: number, parameters: Record<string, string>): Buffer {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`);
  const body = Buffer.from(`${pairs.join('')}\0`);
  return Buffer.concat([int32(8 + body.length), int32((3 << 16) | minor), body]);
}

export interface Message {
  readonly type: string;
  readonly body: Buffer;
}

/** Whole messages at the beginning of `octets`. */
export function messagesIn(octets: Buffer): Message[] {
  const found: Message[] = [];
  for (let at = 0; octets.length - at >= 5; ) {
    const size = octets.readInt32BE(at + 1) + 1;
    if (size > octets.length - at) break;
    found.push({ type: octets.toString('latin1', at, at + 1), body: octets.subarray(at + 5, at + size) });
    at += size;
  }
  return found;
}

/** `octets` cut at `cuts`, each anywhere in it. */
export function cutAt(octets: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [...new Set(cuts.map((cut) => cut % (octets.length + 1)))].sort((one, other) => one - other);
  return [0, ...points].map((from, index) => octets.subarray(from, points[index] ?? octets.length));
}
