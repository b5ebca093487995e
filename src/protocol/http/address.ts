/**
 * Owns IP addresses: every spelling that an operating system's resolver takes, one canonical form, and the
 * class of destination an address belongs to. Must never resolve a name.
 */

import ipaddr from 'ipaddr.js';
import type { DestinationClass } from '../../core/facts.ts';

export interface IpAddress {
  /** Canonical text: dotted decimal, or RFC 5952; IPv4-mapped IPv6 is unwrapped to the IPv4 that it means. */
  readonly text: string;
  readonly family: 4 | 6;
}

/**
 * An address literal as inet_aton(3) and inet_pton(3) read it: `127.0.0.1`, `127.1`, `0x7f000001`, `017700000001`,
 * `2130706433`, `::1`. Brackets are for the caller to remove. Null when it is no address.
 */
export function parseAddress(text: string): IpAddress | null {
  const v4 = parseIpv4(text);
  if (v4 !== null) return { text: dotted(v4), family: 4 };
  // A zone id (`%eth0`) names an interface of this machine: not a destination anybody may ask for.
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  const v6 = ipaddr.IPv6.parse(text);
  if (v6.isIPv4MappedAddress()) return { text: v6.toIPv4Address().toString(), family: 4 };
  return { text: v6.toRFC5952String(), family: 6 };
}

/** True for text that only an address could be: its last label is a number (WHATWG URL, "ends in a number"). */
export function endsInNumber(host: string): boolean {
  const last = host.slice(host.lastIndexOf('.') + 1);
  return /^\d+$/.test(last) || /^0[xX][0-9a-fA-F]*$/.test(last);
}

function parseIpv4(text: string): number | null {
  const parts = text.split('.');
  if (parts.length > 4) return null;
  const numbers: number[] = [];
  for (const part of parts) {
    const number = parseNumber(part);
    if (number === null) return null;
    numbers.push(number);
  }
  // inet_aton(3): all but the last part are one octet each, the last fills what is left.
  const last = numbers.pop() ?? Number.NaN;
  let value = 0;
  for (const number of numbers) {
    if (number > 255) return null;
    value = value * 256 + number;
  }
  const room = 256 ** (4 - numbers.length);
  return last < room ? value * room + last : null;
}

function parseNumber(part: string): number | null {
  if (/^0[xX][0-9a-fA-F]+$/.test(part)) return Number.parseInt(part.slice(2), 16);
  if (/^0[0-7]*$/.test(part)) return Number.parseInt(part, 8);
  return /^[1-9]\d*$/.test(part) ? Number.parseInt(part, 10) : null;
}

const dotted = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');

/**
 * Addresses that hand credentials to whoever asks: AWS, Azure, Google and most others share the first;
 * ECS and EKS task credentials, Alibaba, Azure's wire server, Oracle, Tencent.
 */
const METADATA = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '169.254.0.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

type Range = readonly [string, number, DestinationClass];

const RANGES_4: readonly Range[] = [
  // The unspecified address reaches this machine (RFC 1122 section 3.2.1.3; what connect(2) does with it).
  ['0.0.0.0', 8, 'loopback'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link_local'],
  ['10.0.0.0', 8, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  // Carrier-grade NAT, protocol assignments, benchmarking, multicast, reserved and broadcast: nobody's public host.
  ['100.64.0.0', 10, 'private'],
  ['192.0.0.0', 24, 'private'],
  ['198.18.0.0', 15, 'private'],
  ['224.0.0.0', 4, 'private'],
  ['240.0.0.0', 4, 'private'],
];

const RANGES_6: readonly Range[] = [
  ['::', 127, 'loopback'],
  ['fe80::', 10, 'link_local'],
  ['fc00::', 7, 'private'],
  ['fec0::', 10, 'private'],
  ['ff00::', 8, 'private'],
  ['100::', 64, 'private'],
];

const TABLE_4 = RANGES_4.map(([base, bits, kind]) => ({ base: ipaddr.IPv4.parse(base), bits, kind }));
const TABLE_6 = RANGES_6.map(([base, bits, kind]) => ({ base: ipaddr.IPv6.parse(base), bits, kind }));

/** The class of an address. An IPv6 address that carries an IPv4 one (NAT64, 6to4, Teredo …) has that one's class. */
export function classify(address: IpAddress): DestinationClass {
  if (METADATA.has(address.text)) return 'metadata';
  if (address.family === 4) {
    const ip = ipaddr.IPv4.parse(address.text);
    return TABLE_4.find((range) => ip.match(range.base, range.bits))?.kind ?? 'public';
  }
  const ip = ipaddr.IPv6.parse(address.text);
  const own = TABLE_6.find((range) => ip.match(range.base, range.bits))?.kind;
  if (own) return own;
  const inner = embeddedIpv4(address);
  return inner ? classify(inner) : 'public';
}

/** The IPv4 address that a transition mechanism would turn this IPv6 one into, or null. */
export function embeddedIpv4(address: IpAddress): IpAddress | null {
  if (address.family !== 6) return null;
  const ip = ipaddr.IPv6.parse(address.text);
  const octets = ip.toByteArray();
  const at = (from: number, mask = 0): IpAddress => ({
    text: octets
      .slice(from, from + 4)
      .map((octet) => octet ^ mask)
      .join('.'),
    family: 4,
  });
  const within = (base: string, bits: number) => ip.match(ipaddr.IPv6.parse(base), bits);
  if (within('64:ff9b::', 96)) return at(12); // RFC 6052, NAT64
  if (within('64:ff9b:1::', 48)) return at(12); // RFC 8215, local-use NAT64 (the /96 form)
  if (within('2002::', 16)) return at(2); // RFC 3056, 6to4
  if (within('2001::', 32)) return at(12, 0xff); // RFC 4380, Teredo: the client's address, inverted
  if (within('::', 96) || within('::ffff:0:0:0', 96)) return at(12); // IPv4-compatible; RFC 2765 SIIT
  return null;
}
