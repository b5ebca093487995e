/**
 * Owns what goes out: a request to the addresses pinned for it, over pooled connections, against a Permit. Never
 * retries: a permit is for once. Must never choose a destination, nor see policy.
 */

import type { Readable } from 'node:stream';
import { checkServerIdentity, type SecureContext } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { Fault } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Permit } from '../../core/permit.ts';
import { createRecent } from '../../core/recent.ts';
import type { Host } from '../../protocol/http/host.ts';
import type { RequestHead } from '../../protocol/http/request.ts';
import type { PinnedDestination } from './resolve.ts';

export interface UpstreamRequest {
  readonly head: RequestHead;
  readonly destination: PinnedDestination;
  /** End-to-end fields, flat. */
  readonly headers: string[];
  readonly body: Buffer | Readable | null;
}

export interface Upstream {
  /**
   * Spends the permit on `digest` and sends. Everything else is told to the handler.
   * @throws Fault when the permit does not cover the digest, or there is nothing to dial
   */
  send(permit: Permit, digest: string, request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void;
  /** Closes every connection now. */
  destroy(): Promise<void>;
}

export function createUpstream(options: { readonly roots: SecureContext }): Upstream {
  const pools = createRecent<Pool>(LIMITS.upstreamPools);

  const poolFor = ({ head, destination }: UpstreamRequest): Pool => {
    const { scheme, authority } = head.target;
    const dialled = destination.addresses.map((address) => address.text).join(',');
    const key = `${scheme}|${authority.host.name}|${authority.port}|${dialled}|${destination.port}`;
    const known = pools.get(key);
    if (known) return known;
    const pool = new Pool(`${scheme}://${authority.host.name}:${authority.port}`, {
      // One connection for each request under way: those are bounded by the client connections.
      connections: null,
      pipelining: 1,
      // How long to wait for an answer is the client's business: models and watches take their time.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: LIMITS.httpHeaderSection,
      connect: pinnedConnector(authority.host, destination, options.roots),
    });
    const idle = pools.set(key, pool);
    // Lets requests under way finish.
    idle?.close().catch(() => idle.destroy());
    return pool;
  };

  return {
    send(permit, digest, request, handler) {
      const { destination } = request;
      if (destination.self) throw new Fault('internal', 'a request to ourselves came as far as here');
      if (destination.addresses.length === 0) {
        throw new Fault('destination_unresolved', 'the host name does not resolve');
      }
      const pool = poolFor(request);
      permit.spend(digest);
      pool.dispatch(
        {
          method: request.head.method as Dispatcher.HttpMethod,
          path: request.head.target.path,
          headers: request.headers,
          body: request.body,
        },
        handler,
      );
    },
    async destroy() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

/** Dials exactly the pinned addresses, in the name of the host that was asked for. */
function pinnedConnector(
  host: Host,
  destination: PinnedDestination,
  roots: SecureContext,
): buildConnector.connector {
  const [first] = destination.addresses;
  const dial = buildConnector({
    timeout: LIMITS.upstreamConnect,
    secureContext: roots,
    // RFC 6066 section 3: no address literals in SNI; the certificate is checked against the host all the same.
    ...(host.address ? {} : { servername: host.name }),
    checkServerIdentity: (_name, certificate) => checkServerIdentity(bare(host), certificate),
    autoSelectFamily: true,
    lookup: (_name, _options, callback) => {
      callback(
        null,
        destination.addresses.map(({ text, family }) => ({ address: text, family })),
      );
    },
  } as buildConnector.BuildOptions);
  // A single address is dialled as such; several go through `lookup`, under a name that only it is asked for.
  const hostname = destination.addresses.length === 1 && first ? first.text : `${bare(host)}.pinned.invalid`;
  return (asked, callback) =>
    dial(
      { ...asked, hostname, port: String(destination.port), servername: host.address ? '' : host.name },
      callback,
    );
}

const bare = (host: Host): string => host.address?.text ?? host.name;
