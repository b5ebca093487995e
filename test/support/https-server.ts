/** A real HTTPS server on loopback that remembers every request as it came in: what the stand-ins are built on. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Authority } from './authority.ts';

export interface ReceivedRequest {
  readonly method: string;
  /** The request target as sent, with its query. */
  readonly target: string;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body: unknown;
}

export interface HttpsServer {
  readonly port: number;
  /** Every request received so far, in order. */
  readonly requests: readonly ReceivedRequest[];
  stop(): Promise<void>;
}

export interface HttpsServerOptions {
  readonly authority: Authority;
  /** DNS names in its certificate. */
  readonly names: readonly string[];
  readonly answer: (request: ReceivedRequest) => Answer;
}

export async function startHttpsServer(options: HttpsServerOptions): Promise<HttpsServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(options.authority.issue(options.names), async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const request: ReceivedRequest = {
      method: incoming.method ?? '',
      target: incoming.url ?? '',
      rawHeaders: incoming.rawHeaders,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    };
    requests.push(request);
    const { status, body } = options.answer(request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
