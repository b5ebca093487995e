/**
 * Owns the HTTP listener: accepting within bounds, strict parsing by node:http, hand-over of requests and tunnels,
 * and draining. Must never interpret a request.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SocketAddress } from '../../core/address.ts';
import type { Pipeline } from '../../core/admission.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { type Refusal, refusal } from '../../core/refusal.ts';
import { refuseOnSocket } from './answer.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import { type Connections, createConnections } from './connection.ts';
import { createExchange } from './exchange.ts';
import { createConnectHandler } from './intercept.ts';
import type { OwnAddresses } from './own-addresses.ts';
import { createResolver } from './resolve.ts';
import { createTrustedRoots } from './trusted-roots.ts';
import { createUpstream } from './upstream.ts';

export interface HttpListenerOptions {
  readonly listen: SocketAddress;
  readonly stateDir: string;
  readonly tls: { readonly intercept: boolean; readonly bypass: readonly string[] };
  readonly upstream: {
    /** PEM texts, added to the roots that Node trusts. */
    readonly ca: readonly string[];
    /** `host:port` to `address[:port]`. */
    readonly resolve: Readonly<Record<string, string>>;
  };
  /** Octets of a body that are inspected. */
  readonly maxBody: number;
  /** Milliseconds a client waits for a person. */
  readonly waitMs: number;
  /** Where an agent can ask after its ticket; told in problem documents. */
  readonly ticketUrl?: (ticket: string) => string;
}

export interface HttpListenerDeps {
  readonly pipeline: Pipeline;
  readonly authority: CertificateAuthority;
  readonly own: OwnAddresses;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface HttpListener {
  /** Binds, and resolves with the address bound. Rejects when it cannot. */
  start(): Promise<SocketAddress>;
  /**
   * Takes no more; resolves once what is under way has ended, or LIMITS.drain has passed. Requests that wait for a
   * person are the pipeline's to release first.
   */
  drain(): Promise<void>;
}

/** @throws Error when an entry of `upstream` is malformed. */
export function createHttpListener(options: HttpListenerOptions, deps: HttpListenerDeps): HttpListener {
  let draining = false;
  const connections = createConnections();
  const sockets = new Set<Socket>();
  const upstream = createUpstream({ roots: createTrustedRoots(options.upstream.ca) });
  const shared = {
    pipeline: deps.pipeline,
    clock: deps.clock,
    logger: deps.logger,
    resolver: createResolver({ map: options.upstream.resolve, own: deps.own, clock: deps.clock }),
    connections,
    waitMs: options.waitMs,
    ticketUrl: options.ticketUrl,
    draining: () => draining,
  };
  const exchange = createExchange({
    ...shared,
    upstream,
    maxBody: options.maxBody,
    stateDir: options.stateDir,
  });
  const server = createServer({
    insecureHTTPParser: false,
    maxHeaderSize: LIMITS.httpHeaderSection,
    // Host is checked, and refused in our own words, by the target's reader.
    requireHostHeader: false,
    headersTimeout: LIMITS.httpHeaderTimeout,
    connectionsCheckingInterval: 1_000,
    // Uploads may take their time; a body that is being collected has a bound of its own.
    requestTimeout: 0,
    keepAliveTimeout: LIMITS.httpKeepAlive,
    keepAlive: true,
    noDelay: true,
  });
  server.maxConnections = LIMITS.httpConnections;
  // Node would drop the fields past its count in silence; the exchange refuses them.
  server.maxHeadersCount = 0;
  const connect = createConnectHandler(
    { ...shared, authority: deps.authority, intercept: options.tls.intercept, bypass: options.tls.bypass },
    server,
  );

  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const underWay = new Set<Promise<void>>();
  const track = (passage: Promise<void>) => {
    underWay.add(passage);
    void passage.finally(() => underWay.delete(passage));
  };
  const take = (request: IncomingMessage, response: ServerResponse, waitsForContinue: boolean) => {
    // A connection that was busy when draining began is idle now.
    response.once('close', () => {
      if (draining) setImmediate(() => server.closeIdleConnections());
    });
    track(exchange(request, response, waitsForContinue));
  };
  server.on('request', (request, response) => take(request, response, false));
  server.on('checkContinue', (request, response) => take(request, response, true));
  server.on('connect', (request, socket, head) => track(connect(request, socket as Socket, head)));
  server.on('clientError', (error, socket) => refuseUnparsed(error, socket, connections));

  return {
    start: () => listen(server, options.listen),
    async drain() {
      draining = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cancel = deps.clock.after(LIMITS.drain, () => {
        for (const socket of sockets) socket.destroy();
      });
      await closed;
      cancel();
      // Every outcome is settled before the log may close.
      await Promise.all(underWay);
      await upstream.destroy();
    },
  };
}

function listen(server: Server, { host, port }: SocketAddress): Promise<SocketAddress> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const bound = server.address() as AddressInfo;
      resolve({ host: bound.address, port: bound.port });
    });
  });
}

function refuseUnparsed(error: Error, socket: Duplex, connections: Connections): void {
  const [open, ...others] = connections.underWay(socket);
  // Once an answer has begun, or where another request has to be answered first, this would be read as its answer.
  if (others.length > 0 || open?.headersSent || open?.req.complete) (socket as Socket).destroySoon();
  else if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') socket.destroy();
  else refuseOnSocket(socket, unparsedRefusal(error));
}

function unparsedRefusal(error: NodeJS.ErrnoException): Refusal {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return refusal(
      'headers_too_large',
      `the header section has more than ${LIMITS.httpHeaderSection} octets`,
    );
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return refusal('request_timeout', 'the header section did not arrive in time');
  }
  const { reason } = error as NodeJS.ErrnoException & { reason?: string };
  return refusal('request_malformed', `the request does not parse${reason ? `: ${reason}` : ''}`);
}
