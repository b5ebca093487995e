/**
 * Owns the control address: health, readiness and metrics for whoever runs Holdpoint, and the REST door for people
 * with a token. Must never answer a request that was meant for somebody else, nor be in the way of shutting down.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ApprovalsApi } from '../../approval/api.ts';
import { type ApiResponse, json, problem } from '../../approval/api-problem.ts';
import { addressText, type SocketAddress } from '../../core/address.ts';
import { Fault } from '../../core/errors.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Logger } from '../../core/ports.ts';
import { isOurHost } from './host.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly reasons: readonly string[];
}

export interface ControlListenerOptions {
  /** Port 0 picks a free one. */
  readonly listen: SocketAddress;
  readonly api: ApprovalsApi;
  readonly readiness: () => Readiness;
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  readonly logger: Logger;
}

export interface ControlListener {
  /** Where it listens: with the port that was picked. */
  readonly address: SocketAddress;
  /** Takes nothing new, lets open requests finish for up to `LIMITS.drain`, then ends them. */
  drain(): Promise<void>;
}

/** @throws Fault when the address cannot be listened on. */
export async function startControlListener(options: ControlListenerOptions): Promise<ControlListener> {
  const { listen, logger } = options;
  const named = listen.host.toLowerCase();
  const server = createServer(
    {
      headersTimeout: LIMITS.httpHeaderTimeout,
      requestTimeout: LIMITS.controlRequest,
      keepAliveTimeout: LIMITS.controlKeepAlive,
      maxHeaderSize: LIMITS.controlHeaderSection,
      connectionsCheckingInterval: 1_000,
    },
    (request, response) => {
      serve(options, named, request)
        .catch((error: unknown) => {
          // The client went away in the middle of its request: nobody is left to tell.
          if (!request.destroyed) logger.error({ err: error }, 'a control request could not be served');
          return problem('internal', 'the request could not be served');
        })
        .then((answer) => send(server, request, response, answer));
    },
  );
  server.maxConnections = LIMITS.controlConnections;
  await listening(server, listen);
  const { address: host, port } = server.address() as AddressInfo;
  let drained: Promise<void> | undefined;
  return {
    address: { host, port },
    drain() {
      drained ??= drain(server);
      return drained;
    },
  };
}

async function serve(
  { api, readiness, metrics }: ControlListenerOptions,
  named: string,
  request: IncomingMessage,
): Promise<ApiResponse> {
  const { method = '', url: target = '' } = request;
  if (!isOurHost(request.headers.host, request.socket.localAddress, named))
    return problem('misdirected', 'the Host of the request is none of ours');
  const probe = PROBES.has(target);
  if (probe && method !== 'GET' && method !== 'HEAD')
    return problem('method_not_allowed', `${method} is not offered here`, {}, { allow: 'GET, HEAD' });
  switch (target) {
    case '/healthz':
      return json({ status: 'ok' });
    case '/readyz': {
      const { ready, reasons } = readiness();
      return { ...json({ ready, reasons }), status: ready ? 200 : 503 };
    }
    case '/metrics': {
      const { contentType, body } = await metrics();
      return { status: 200, headers: { 'content-type': contentType }, body };
    }
  }
  if (!/^\/api\/v1(?:\/|$|\?)/.test(target)) return problem('not_found', 'there is nothing at this path');
  const body = await bodyOf(request);
  if (body === null) return problem('request_too_large', `a body has at most ${LIMITS.controlBody} octets`);
  const { authorization, 'content-type': contentType } = request.headers;
  return api({ method, target, headers: { authorization, 'content-type': contentType }, body });
}

const PROBES = new Set(['/healthz', '/readyz', '/metrics']);

/** Null when it is longer than its bound; the rest is then not read. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Not destroyed when left early: the socket still has to carry the answer.
  const arriving: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of arriving) {
    length += chunk.length;
    if (length > LIMITS.controlBody) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(server: Server, request: IncomingMessage, response: ServerResponse, answer: ApiResponse): void {
  if (response.destroyed) return;
  const body = Buffer.from(answer.body);
  // A body that was not read would be taken for the next request, and a listener that drains takes none.
  const last = !request.complete || !server.listening;
  response.writeHead(answer.status, {
    ...SECURITY,
    ...answer.headers,
    'content-length': body.byteLength,
    ...(last ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Nothing here is for a browser to render, keep or share; there is no CORS on purpose. */
const SECURITY = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

async function listening(server: Server, { host, port }: ControlListenerOptions['listen']): Promise<void> {
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const why = code === 'EADDRINUSE' ? 'the port is in use' : code;
    throw new Fault('internal', `control.listen ${addressText({ host, port })}: ${why}`, { cause });
  }
}

async function drain(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const overdue = setTimeout(() => server.closeAllConnections(), LIMITS.drain);
  await closed;
  clearTimeout(overdue);
}
