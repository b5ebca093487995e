/**
 * Owns the question whether an address is Holdpoint itself: its listeners and its control API, by any address of
 * this machine. Must never resolve names: it is asked about addresses, after resolving.
 */

import { networkInterfaces } from 'node:os';
import type { SocketAddress } from '../../core/address.ts';
import { classify, embeddedIpv4, type IpAddress, parseAddress } from '../../protocol/http/address.ts';

export interface OwnAddresses {
  isOwn(address: IpAddress, port: number): boolean;
}

/** @param listeners Asked anew each time, since ports may be known only once everything listens. */
export function createOwnAddresses(listeners: () => readonly SocketAddress[]): OwnAddresses {
  return {
    isOwn(address, port) {
      const onPort = listeners().filter((listener) => listener.port === port);
      if (onPort.length === 0) return false;
      const inner = embeddedIpv4(address);
      const candidates = inner ? [address, inner] : [address];
      return candidates.some(
        (candidate) =>
          isLocal(candidate) || onPort.some(({ host }) => parseAddress(host)?.text === candidate.text),
      );
    },
  };
}

/** A listener bound to one address may be out of reach by the others: counting it as ours all the same costs nothing. */
function isLocal(address: IpAddress): boolean {
  if (classify(address) === 'loopback') return true;
  return Object.values(networkInterfaces()).some((entries) =>
    entries?.some((entry) => parseAddress(entry.address.split('%', 1)[0] ?? '')?.text === address.text),
  );
}
