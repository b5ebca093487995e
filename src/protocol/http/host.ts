/**
 * Owns host names: one strict, canonical form, so that policy, certificates, pools and the wire all mean the
 * same host. Must never resolve one.
 */

import type { DestinationClass } from '../../core/facts.ts';
import { classify, endsInNumber, type IpAddress, parseAddress } from './address.ts';

export interface Host {
  /** Lower case, no trailing dot; an address in canonical form, IPv6 in brackets. */
  readonly name: string;
  /** Set where the host is an address literal, however it was spelled. */
  readonly address: IpAddress | null;
}

export interface Authority {
  readonly host: Host;
  readonly port: number;
}

/** Names that mean the instance-metadata service whatever they resolve to. */
const METADATA_NAMES = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.tencentyun.com',
]);

/**
 * A host as it stands in a URL or a Host field (RFC 3986 section 3.2.2, without percent-encoding; underscores are
 * let through, since container networks use them). Internationalised names come as A-labels. Null when malformed.
 */
export function parseHost(text: string): Host | null {
  if (text.startsWith('[')) {
    if (!text.endsWith(']')) return null;
    const inner = text.slice(1, -1);
    const address = inner.includes(':') ? parseAddress(inner) : null;
    return address && literal(address);
  }
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  if (name.length === 0 || name.length > 253) return null;
  const address = parseAddress(name);
  if (address) return address.family === 4 ? literal(address) : null;
  // `08.0.0.1`, `1.2.3.4.5`: some resolvers would make an address of it, and not all the same one.
  if (endsInNumber(name)) return null;
  const lower = name.toLowerCase();
  const wellFormed = lower
    .split('.')
    .every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  return wellFormed ? { name: lower, address: null } : null;
}

const literal = (address: IpAddress): Host => ({
  name: address.family === 6 ? `[${address.text}]` : address.text,
  address,
});

/** `host[:port]`. The port may be left out only where there is a default. Null when malformed. */
export function parseAuthority(text: string, defaultPort: number | null): Authority | null {
  const match = /^(\[[^\]]*\]|[^:[\]@/?#\\]*)(?::(\d{1,5}))?$/.exec(text);
  if (!match) return null;
  const host = parseHost(match[1] ?? '');
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  if (!host || port === null || port < 1 || port > 65_535) return null;
  return { host, port };
}

export const sameAuthority = (a: Authority, b: Authority): boolean =>
  a.host.name === b.host.name && a.port === b.port;

/** `host:port`, the port always written. */
export const authorityText = (authority: Authority): string => `${authority.host.name}:${authority.port}`;

export const isMetadataName = (host: Host): boolean => METADATA_NAMES.has(host.name);

/** What can be said of a host before anything is resolved; null where only resolving can tell. */
export function classOfHost(host: Host): DestinationClass | null {
  if (isMetadataName(host)) return 'metadata';
  if (host.address) return classify(host.address);
  // RFC 6761 section 6.3.
  return host.name === 'localhost' || host.name.endsWith('.localhost') ? 'loopback' : null;
}

/**
 * True when `host` matches one of the globs: `*` stands for one or more labels at the front (`*.example.com`),
 * anything else is compared whole.
 */
export function matchesHost(host: Host, globs: readonly string[]): boolean {
  return globs.some((glob) => {
    const pattern = glob.toLowerCase().replace(/\.$/, '');
    if (pattern === '*') return true;
    if (pattern.startsWith('*.'))
      return host.name.length > pattern.length - 1 && host.name.endsWith(pattern.slice(1));
    return host.name === pattern || host.name === parseHost(pattern)?.name;
  });
}
