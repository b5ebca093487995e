/** The agent on the web: requests in absolute-form (RFC 9112, section 3.2.2) to the proxy, each on its own connection. */

import { type IncomingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { HOST } from './origin.ts';

export interface Asked {
  readonly method?: string;
  /** On the origin of `origin.ts`, or a whole URL. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Aborting it closes the connection. */
  readonly signal?: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Parsed where it is JSON; else empty. */
  readonly json: Readonly<Record<string, unknown>>;
}

export function ask(
  proxyUrl: string,
  { method = 'GET', url, body = '', ...asked }: Asked,
): Promise<Answered> {
  const { hostname, port } = new URL(proxyUrl);
  const path = url.startsWith('/') ? `http://${HOST}${url}` : url;
  // Node announces no length for the body of a DELETE.
  const length = body.length > 0 ? { 'content-length': Buffer.byteLength(body) } : {};
  const host = asked.headers?.host ?? new URL(path).host;
  const headers = { host, ...length, ...asked.headers };
  const { signal } = asked;
  return new Promise((resolve, reject) => {
    const options = {
      hostname,
      port,
      method,
      path,
      headers,
      agent: false as const,
      ...(signal && { signal }),
    };
    const outgoing = request(options, (response) => {
      buffer(response).then((octets) => {
        const text = octets.toString('utf8');
        const isJson = /\bjson\b/.test(response.headers['content-type'] ?? '');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: isJson ? JSON.parse(text) : {},
        });
      }, reject);
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
