/** A small HTTPS API on an invented host name: what an agent might call all day. */

import type { Authority } from '../../support/authority.ts';
import {
  type Answer,
  type HttpsServer,
  type ReceivedRequest,
  startHttpsServer,
} from '../../support/https-server.ts';

export const HTTPS_API_HOST = 'api.example.test';

export function startHttpsApi(authority: Authority, host = HTTPS_API_HOST): Promise<HttpsServer> {
  return startHttpsServer({ authority, names: [host], answer });
}

function answer({ method, target, body }: ReceivedRequest): Answer {
  const { pathname } = new URL(target, 'https://stand-in');
  if (pathname === '/v1/status' && method === 'GET') return { status: 200, body: { status: 'ok' } };
  if (pathname === '/v1/rates' && method === 'GET')
    return { status: 200, body: { base: 'EUR', rates: { USD: 1.08, GBP: 0.85, JPY: 163.2 } } };
  if (pathname === '/v1/echo' && method === 'POST')
    return { status: 200, body: { received: body.length, base64: body.toString('base64') } };
  return { status: 404, body: { error: 'not found' } };
}
