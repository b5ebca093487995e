/**
 * Owns DER (ITU-T X.690) as far as writing a certificate needs it. Must never read any.
 */

const tlv = (tag: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([tag]), length(content.length), content]);

function length(octets: number): Buffer {
  if (octets < 0x80) return Buffer.from([octets]);
  const bytes: number[] = [];
  for (let rest = octets; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

export const sequence = (...items: Uint8Array[]): Buffer => tlv(0x30, Buffer.concat(items));
export const set = (...items: Uint8Array[]): Buffer => tlv(0x31, Buffer.concat(items));
export const octetString = (content: Uint8Array): Buffer => tlv(0x04, content);
export const utf8String = (text: string): Buffer => tlv(0x0c, Buffer.from(text, 'utf8'));
export const boolean = (value: boolean): Buffer => tlv(0x01, Buffer.from([value ? 0xff : 0]));

/** @param magnitude Unsigned, big-endian. */
export function integer(magnitude: Uint8Array): Buffer {
  const start = magnitude.findIndex((octet) => octet !== 0);
  const shortest = start < 0 ? Buffer.from([0]) : Buffer.from(magnitude.subarray(start));
  return tlv(0x02, (shortest[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), shortest]) : shortest);
}

export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  tlv(0x03, Buffer.concat([Buffer.from([unusedBits]), content]));

export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    octets.push(...groups);
  }
  return tlv(0x06, Buffer.from(octets));
}

/** RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime after. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050
    ? tlv(0x17, Buffer.from(digits.slice(2)))
    : tlv(0x18, Buffer.from(digits));
}

/** Context-specific tag around whole values. */
export const explicit = (tag: number, content: Uint8Array): Buffer => tlv(0xa0 | tag, content);
/** Context-specific tag in place of a primitive value's own. */
export const implicit = (tag: number, content: Uint8Array): Buffer => tlv(0x80 | tag, content);
