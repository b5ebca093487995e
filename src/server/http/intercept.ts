/**
 * Owns CONNECT: whether a tunnel is opened up or carried as it is, the TLS handshake with the agent in the name
 * of the host, and the hand-over of what is inside to the HTTP server. Must never judge what is inside.
 */

import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ProtocolError } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { type Refusal, refusal, refusalFrom } from '../../core/refusal.ts';
import { valuesOf } from '../../protocol/http/headers.ts';
import {
  type Authority,
  matchesHost,
  parseAuthority,
  parseHost,
  sameAuthority,
} from '../../protocol/http/host.ts';
import type { RequestHead } from '../../protocol/http/request.ts';
import { parseConnectTarget } from '../../protocol/http/target.ts';
import { refuseOnSocket } from './answer.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import type { Connections } from './connection.ts';
import type { Resolver } from './resolve.ts';
import { carryTunnel, ESTABLISHED, type TunnelDeps } from './tunnel.ts';

export interface InterceptDeps extends TunnelDeps {
  readonly authority: CertificateAuthority;
  readonly resolver: Resolver;
  readonly connections: Connections;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intercept: boolean;
  /** Globs of hosts whose tunnels are carried as they are. */
  readonly bypass: readonly string[];
  readonly draining: () => boolean;
}

export type ConnectHandler = (request: IncomingMessage, socket: Socket, head: Buffer) => Promise<void>;

/** @param server Gets what comes out of opened tunnels as connections of its own. */
export function createConnectHandler(deps: InterceptDeps, server: Pick<Server, 'emit'>): ConnectHandler {
  return async (request, socket, head) => {
    socket.on('error', (error) => deps.logger.debug({ err: error }, 'a tunnel’s client connection broke'));
    if (head.length > 0) socket.unshift(head);
    try {
      if (deps.draining()) throw new ProtocolError('draining', 'no new tunnels are opened');
      if (deps.connections.contextOf(socket).origin) {
        throw new ProtocolError('protocol_unsupported', 'a tunnel inside a tunnel is not carried');
      }
      const connect = readConnect(request);
      const { authority } = connect.target;
      // Before anything is minted: a name that leads nowhere, or back to us, gets no certificate.
      const destination = await deps.resolver.resolve(authority);
      const opened = deps.intercept && !matchesHost(authority.host, deps.bypass);
      if (!opened || destination.self) return await carryTunnel(deps, connect, destination, socket);
      socket.write(ESTABLISHED);
      const first = await firstOctet(socket, deps.clock);
      if (first === TLS_HANDSHAKE) await terminateTls(deps, authority, socket, server);
      else if (first !== null && isMethodStart(first)) {
        const origin = { scheme: 'http', authority } as const;
        deps.connections.enter(socket, { origin, tls: { sni: null, intercepted: true }, refusal: null });
        server.emit('connection', socket);
        // It was stopped to look at its first octet; the server takes that one from the stream.
        socket.resume();
      } else {
        // Neither TLS nor HTTP: what cannot be read is not carried.
        if (first !== null)
          deps.logger.warn({ host: authority.host.name }, 'a tunnel carried neither TLS nor HTTP');
        socket.destroy();
      }
    } catch (error) {
      const answer = refusalFrom(error);
      if (answer.code === 'internal') deps.logger.error({ err: error }, 'a CONNECT failed');
      refuseOnSocket(socket, answer);
    }
  };
}

const TLS_HANDSHAKE = 0x16;
const isMethodStart = (octet: number): boolean => octet >= 0x41 && octet <= 0x5a;

function readConnect(request: IncomingMessage): RequestHead {
  const authority = parseConnectTarget(request.url ?? '');
  const hosts = valuesOf(request.rawHeaders, 'host');
  const named = hosts.map((host) => parseAuthority(host, authority.port));
  if (hosts.length > 1 || named.some((host) => !host || !sameAuthority(host, authority))) {
    throw new ProtocolError('request_malformed', 'the Host field and the target of CONNECT differ');
  }
  return {
    method: 'CONNECT',
    target: { scheme: 'https', authority, path: '' },
    protocol: `HTTP/${request.httpVersion}`,
    headers: request.rawHeaders,
    tls: { sni: null, intercepted: false },
  };
}

/** Looks at the first octet and leaves it there; null when the client went away, or sent nothing in time. */
function firstOctet(socket: Socket, clock: Clock): Promise<number | null> {
  return new Promise((resolve) => {
    const settle = (octet: number | null) => {
      cancel();
      socket.off('data', onData);
      socket.off('end', onEnd);
      socket.off('close', onEnd);
      resolve(octet);
    };
    const onData = (chunk: Buffer) => {
      socket.pause();
      socket.unshift(chunk);
      settle(chunk[0] ?? null);
    };
    const onEnd = () => settle(null);
    const cancel = clock.after(LIMITS.httpHeaderTimeout, onEnd);
    socket.once('data', onData);
    socket.once('end', onEnd);
    socket.once('close', onEnd);
    socket.resume();
  });
}

async function terminateTls(
  deps: InterceptDeps,
  authority: Authority,
  socket: Socket,
  server: Pick<Server, 'emit'>,
): Promise<void> {
  const secureContext = deps.authority.contextFor(authority.host);
  const secured = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
  await new Promise<void>((resolve) => {
    const fail = (reason: object) => {
      cancel();
      // Most often a client that does not trust the authority: worth a line for whoever sets it up.
      deps.logger.info({ host: authority.host.name, ...reason }, 'a client did not finish its TLS handshake');
      secured.destroy();
      resolve();
    };
    const onError = (error: Error) => fail({ err: error });
    const cancel = deps.clock.after(LIMITS.httpTlsHandshake, () => fail({ reason: 'timeout' }));
    const onClose = () => fail({ reason: 'closed' });
    secured.once('error', onError);
    secured.once('close', onClose);
    secured.once('secure', () => {
      cancel();
      secured.off('error', onError);
      secured.off('close', onClose);
      const sni = serverNameOf(secured);
      const origin = { scheme: 'https', authority } as const;
      deps.connections.enter(secured, {
        origin,
        tls: { sni, intercepted: true },
        refusal: sniRefusal(sni, authority),
      });
      server.emit('connection', secured);
      resolve();
    });
  });
}

/** The name that the client asked for in its handshake (RFC 6066 section 3), or null. */
function serverNameOf(socket: TLSSocket): string | null {
  const { servername } = socket as TLSSocket & { servername?: string | false };
  return servername || null;
}

function sniRefusal(sni: string | null, authority: Authority): Refusal | null {
  if (sni === null || parseHost(sni)?.name === authority.host.name) return null;
  return refusal('request_malformed', 'the TLS server name and the host of the tunnel differ');
}
