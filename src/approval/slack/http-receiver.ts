/**
 * Owns the HTTP door: a listener for what Slack posts, signed, to /slack/events. Bolt's own receiver checks signature
 * and age and acknowledges; the listener, its bounds and what it may be sent are here.
 * Must never know what a click means.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HTTPReceiver as BoltHttpReceiver, Logger as BoltLogger, Receiver } from '@slack/bolt';
import { LIMITS } from '../../core/limits.ts';
import type { SlackHttpSettings } from './settings.ts';

export const EVENTS_PATH = '/slack/events';

export interface HttpReceiverDeps {
  readonly HTTPReceiver: typeof BoltHttpReceiver;
  readonly settings: SlackHttpSettings;
  readonly boltLogger: BoltLogger;
}

export interface HttpReceiver extends Receiver {
  /** Resolves to the address listened on. Rejects where it cannot be had. */
  start(): Promise<AddressInfo>;
}

export function createHttpReceiver({ HTTPReceiver, settings, boltLogger }: HttpReceiverDeps): HttpReceiver {
  const bolt = new HTTPReceiver({
    signingSecret: settings.signing_secret,
    endpoints: EVENTS_PATH,
    logger: boltLogger,
    bodyLimit: LIMITS.slackRequest,
    processEventErrorHandler: async ({ response }) => {
      if (!response.headersSent) response.writeHead(500).end();
      return false;
    },
  });
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    void receive(request, response, bolt);
  });
  return {
    init: (app) => bolt.init(app),
    start: () => listen(server, settings.listen, boltLogger),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * Hands a request on to Bolt, its body already read. Bolt (5.1.0) takes a body so prepared as it is, and checks its
 * signature; a body that is no JSON object would be an unhandled rejection there, so that it ends here. Never rejects.
 */
async function receive(
  request: IncomingMessage & { rawBody?: Buffer },
  response: ServerResponse,
  bolt: BoltHttpReceiver,
): Promise<void> {
  try {
    if (new URL(request.url ?? '', 'http://slack').pathname !== EVENTS_PATH) return end(response, 404);
    if (request.method !== 'POST') return end(response, 405);
    if (!isFresh(request)) return end(response, 401);
    const body = await read(request);
    if (body === null) return end(response, 413);
    if (!holdsObject(body.toString(), request.headers['content-type'] ?? '')) return end(response, 400);
    request.rawBody = body;
    bolt.requestListener(request, response);
  } catch {
    end(response, 400);
  }
}

function end(response: ServerResponse, status: number): void {
  if (!response.headersSent) response.writeHead(status, { connection: 'close' });
  response.end();
}

/** Within five minutes either way: Bolt looks at the past only. */
function isFresh({ headers }: IncomingMessage): boolean {
  const at = Number(headers['x-slack-request-timestamp']);
  return Number.isFinite(at) && Math.abs(Date.now() / 1000 - at) <= 300;
}

/** Null where it is over the bound. */
async function read(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LIMITS.slackRequest) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function holdsObject(body: string, contentType: string): boolean {
  const form = contentType === 'application/x-www-form-urlencoded';
  const payload = form ? new URLSearchParams(body).get('payload') : body;
  if (payload === null) return true;
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

function listen(
  server: Server,
  { host, port }: SlackHttpSettings['listen'],
  logger: BoltLogger,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      server.on('error', (error) => logger.error(error));
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address);
      else reject(new Error('no address'));
    });
  });
}
