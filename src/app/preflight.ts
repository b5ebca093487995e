/**
 * Owns the look before the start: whether every address can be listened on, so that all that is in the way is said
 * at once. Must never keep what it bound.
 */

import { createServer } from 'node:net';
import { addressText, type SocketAddress } from '../core/address.ts';

export interface WantedAddress extends SocketAddress {
  /** The configuration's key. */
  readonly key: string;
}

/** One line for each address that cannot be had. */
export async function addressProblems(wanted: readonly WantedAddress[]): Promise<string[]> {
  const found = await Promise.all(wanted.map(async (address) => describe(address, await probe(address))));
  return found.filter((line) => line !== null);
}

/** The error code that binding ends with, or null. */
function probe({ host, port }: WantedAddress): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

function describe({ key, host, port }: WantedAddress, code: string | null): string | null {
  if (code === null) return null;
  const address = addressText({ host, port });
  switch (code) {
    case 'EADDRINUSE':
      return `${key}: ${address} is in use by another process`;
    case 'EACCES':
      return `${key}: ${address} needs more rights than this process has`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${key}: ${host} is not an address of this machine`;
    default:
      return `${key}: ${address} cannot be listened on (${code})`;
  }
}
