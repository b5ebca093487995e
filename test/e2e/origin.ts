/** A plain HTTP server behind the proxy, under an invented name; what it answers, and when, is the test's to say. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export const HOST = 'api.example.test';

export interface OriginRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface Origin {
  readonly port: number;
  /** Every request that arrived, once its body has. */
  readonly requests: OriginRequest[];
  /** Called for each request; 200 and `{}` until told otherwise. */
  answer: (request: OriginRequest, response: ServerResponse) => void;
  /** What the configuration needs to lead the invented name here, and the tuning to let ordinary calls pass. */
  readonly resolve: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export const KNOWN = {
  hosts: { known: [HOST], denied: ['denied.example.test'] },
  relations: { sensitive: ['payments'] },
};

const ok = (_: OriginRequest, response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
};

export async function startOrigin(): Promise<Origin> {
  const server = createServer(async (incoming, response) => {
    incoming.on('error', () => {});
    const request: OriginRequest = {
      method: incoming.method ?? '',
      target: incoming.url ?? '',
      headers: incoming.headers,
      body: await buffer(incoming),
    };
    origin.requests.push(request);
    origin.answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin: Origin = {
    port,
    requests: [],
    answer: ok,
    resolve: { [`${HOST}:80`]: `127.0.0.1:${port}` },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return origin;
}
