/**
 * Owns the step from a host to the addresses that will be dialled: resolved once, classified, and pinned, so that
 * what policy judged is where the request goes. Must never dial.
 */

import { lookup } from 'node:dns/promises';
import { Fault } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../../core/ports.ts';
import { createRecent } from '../../core/recent.ts';
import { classify, type IpAddress, parseAddress } from '../../protocol/http/address.ts';
import {
  type Authority,
  authorityText,
  type Host,
  isMetadataName,
  parseAuthority,
} from '../../protocol/http/host.ts';
import type { Destination } from '../../protocol/http/request.ts';
import type { OwnAddresses } from './own-addresses.ts';

export interface PinnedDestination extends Destination {
  /** To try in this order; all of one class. Empty where nothing can be dialled. */
  readonly addresses: readonly IpAddress[];
}

export interface Resolver {
  /** @throws Fault `destination_unresolved` */
  resolve(authority: Authority): Promise<PinnedDestination>;
}

export interface ResolverOptions {
  /** `host:port` to `address[:port]`, like curl's --resolve. */
  readonly map: Readonly<Record<string, string>>;
  readonly own: OwnAddresses;
  readonly clock: Clock;
  /** The system's resolver, unless a test brings its own. */
  readonly lookup?: (name: string) => Promise<readonly IpAddress[]>;
}

export function createResolver(options: ResolverOptions): Resolver {
  const { own, clock } = options;
  const mapped = readResolveMap(options.map);
  const ask = options.lookup ?? systemLookup;
  const known = createRecent<{ answer: Promise<readonly IpAddress[]>; until: number }>(LIMITS.resolvedNames);

  const addressesOf = (host: Host): Promise<readonly IpAddress[]> => {
    const now = clock.now();
    const entry = known.get(host.name);
    if (entry && entry.until > now) return entry.answer;
    const answer = withDeadline(ask(host.name), host, clock);
    known.set(host.name, { answer, until: now + LIMITS.resolvedFor });
    // A failure is told to those who wait for it and forgotten.
    answer.catch(() => {
      if (known.get(host.name)?.answer === answer) known.delete(host.name);
    });
    return answer;
  };

  return {
    async resolve(authority) {
      const fixed = mapped.get(authorityText(authority));
      const port = fixed?.port ?? authority.port;
      const { host } = authority;
      const literal = fixed?.address ?? host.address;
      if (literal) return pin([literal], port, isMetadataName(host));
      try {
        return pin(await addressesOf(host), port, isMetadataName(host));
      } catch (error) {
        // Asking for it says enough: policy is to see the attempt even where there is no such service.
        if (isMetadataName(host)) return { address: '', addresses: [], port, class: 'metadata', self: false };
        throw error;
      }
    },
  };

  function pin(all: readonly IpAddress[], port: number, metadata: boolean): PinnedDestination {
    const [first] = all;
    if (!first) throw new Fault('destination_unresolved', 'the host name has no address');
    const kind = classify(first);
    // The others may serve as a fallback only where policy would have been told the same.
    const addresses = all.filter((address) => classify(address) === kind);
    return {
      address: first.text,
      addresses,
      port,
      class: metadata ? 'metadata' : kind,
      self: addresses.some((address) => own.isOwn(address, port)),
    };
  }
}

/** @throws Error naming the entry that is malformed. */
export function readResolveMap(
  map: Readonly<Record<string, string>>,
): ReadonlyMap<string, { readonly address: IpAddress; readonly port: number }> {
  const entries = new Map<string, { address: IpAddress; port: number }>();
  for (const [from, to] of Object.entries(map)) {
    const source = parseAuthority(from, null);
    const target =
      source && parseAuthority(to.includes(':') && parseAddress(to) ? `[${to}]` : to, source.port);
    if (!source || !target?.host.address)
      throw new Error(`upstream.resolve: "${from}": "${to}" is not host:port: address:port`);
    entries.set(authorityText(source), { address: target.host.address, port: target.port });
  }
  return entries;
}

async function systemLookup(name: string): Promise<readonly IpAddress[]> {
  const found = await lookup(name, { all: true, verbatim: true });
  return found.flatMap(({ address }) => parseAddress(address.split('%', 1)[0] ?? '') ?? []);
}

function withDeadline(
  answer: Promise<readonly IpAddress[]>,
  host: Host,
  clock: Clock,
): Promise<readonly IpAddress[]> {
  return new Promise((resolve, reject) => {
    const fail = (detail: string) => reject(new Fault('destination_unresolved', `${host.name} ${detail}`));
    const cancel = clock.after(LIMITS.resolveDeadline, () => fail('was not resolved in time'));
    answer.then(
      (addresses) => {
        cancel();
        if (addresses.length > 0) resolve(addresses);
        else fail('has no address');
      },
      (error: NodeJS.ErrnoException) => {
        cancel();
        fail(`does not resolve (${error.code ?? 'unknown error'})`);
      },
    );
  });
}
