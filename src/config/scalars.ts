/**
 * Owns the small forms that configuration values take: addresses, durations, sizes, globs, globs of hosts.
 * Must never read a file or the environment.
 */

import { z } from 'zod';
import type { SocketAddress } from '../core/address.ts';
import { parseDuration, parseSize } from '../core/duration.ts';

/** `127.0.0.1:3128`, `[::1]:3128`, `localhost:0`; null when it is neither. Port 0 picks a free one. */
export function parseListen(text: string): SocketAddress | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host !== undefined && port <= 65_535 ? { host, port } : null;
}

/** A zod string that is turned into something else, or is a problem with `expectation` in it. */
function parsed<T>(expectation: string, parse: (text: string) => T | null) {
  return z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== null) return value;
    context.issues.push({
      code: 'custom',
      message: `expected ${expectation}`,
      input: text,
    });
    return z.NEVER;
  });
}

export const listen = parsed('an address such as 127.0.0.1:3128', parseListen);
export const duration = parsed('a duration such as 50s or 15m', parseDuration);
export const size = parsed('a size such as 1MiB', parseSize);

/** `*.example.com`, `api.example.com`; lower-cased. A star only as the whole leftmost label. */
export const hostGlob = parsed('a host name, or *.name', (text) =>
  /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/i.test(text) ? text.toLowerCase() : null,
);

export interface PostgresUpstream {
  /** A host name or address, or the directory of a unix socket when it begins with a slash. */
  readonly host: string;
  readonly port: number;
}

/** `postgres://host:5432`, `postgres:///?host=/run/postgresql&port=5432`. No credentials: agents bring their own. */
export const postgresUpstream = parsed('postgres://host:port without user, password or database', (text) => {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') return null;
  if (url.username || url.password || !['', '/'].includes(url.pathname) || url.hash) return null;
  const directory = url.searchParams.get('host');
  const port = Number(url.port || url.searchParams.get('port') || 5432);
  if (directory !== null) return directory.startsWith('/') && !url.host ? { host: directory, port } : null;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return host && !url.search ? { host, port } : null;
});
