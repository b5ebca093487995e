import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintPermit } from '../../../src/core/permit.ts';
import { parseHost } from '../../../src/protocol/http/host.ts';
import type { PinnedDestination } from '../../../src/server/http/resolve.ts';
import { createTrustedRoots } from '../../../src/server/http/trusted-roots.ts';
import { createUpstream, type UpstreamRequest } from '../../../src/server/http/upstream.ts';
import { type Origin, startOrigin } from './support.ts';

describe('what goes out', () => {
  let origin: Origin;
  let seen: string[];
  const upstream = createUpstream({ roots: createTrustedRoots([]) });

  beforeAll(async () => {
    origin = await startOrigin((request, response) => {
      seen.push(`${request.method} ${request.headers.host}${request.url}`);
      response.end('ok');
    });
  });
  afterAll(async () => {
    await upstream.destroy();
    await origin.stop();
  });

  const request = (destination: Partial<PinnedDestination> = {}): UpstreamRequest => {
    const host = parseHost('elsewhere.test');
    if (!host) throw new Error('not a host');
    return {
      head: {
        method: 'GET',
        target: { scheme: 'http', authority: { host, port: 80 }, path: '/x' },
        protocol: 'HTTP/1.1',
        headers: [],
        tls: { sni: null, intercepted: false },
      },
      destination: {
        address: '127.0.0.1',
        addresses: [{ text: '127.0.0.1', family: 4 }],
        port: origin.port,
        class: 'loopback',
        self: false,
        ...destination,
      },
      headers: ['Host', 'elsewhere.test'],
      body: null,
    };
  };
  const send = (permit: ReturnType<typeof mintPermit>, digest: string, what = request()) =>
    new Promise<number>((resolve, reject) => {
      let status = 0;
      upstream.send(permit, digest, what, {
        onRequestStart() {},
        onResponseStart(_controller, code) {
          status = code;
        },
        onResponseData() {},
        onResponseEnd: () => resolve(status),
        onResponseError: (_controller, error) => reject(error),
      });
    });

  it('dials the pinned address in the name of the host, against a permit for exactly that', async () => {
    seen = [];
    const permit = mintPermit('action', 'd', 'digest', null);
    await expect(send(permit, 'another digest')).rejects.toThrow(/other octets/);
    expect(await send(permit, 'digest')).toBe(200);
    await expect(send(permit, 'digest')).rejects.toThrow(/twice/);
    expect(seen).toEqual(['GET elsewhere.test/x']);
  });

  it('falls back to the next pinned address where the first does not answer', async () => {
    seen = [];
    // Nothing listens on 127.0.0.2.
    const addresses = [
      { text: '127.0.0.2', family: 4 },
      { text: '127.0.0.1', family: 4 },
    ] as const;
    const only = await startOrigin((_request, response) => response.end());
    expect(
      await send(mintPermit('action', 'd', 'x', null), 'x', request({ addresses, port: only.port })),
    ).toBe(200);
    await only.stop();
  });

  it('sends nothing to ourselves, nor where there is no address', async () => {
    seen = [];
    const permit = () => mintPermit('action', 'd', 'x', null);
    await expect(send(permit(), 'x', request({ self: true }))).rejects.toThrow(/ourselves/);
    await expect(send(permit(), 'x', request({ addresses: [] }))).rejects.toMatchObject({
      code: 'destination_unresolved',
    });
    expect(seen).toEqual([]);
  });
});
