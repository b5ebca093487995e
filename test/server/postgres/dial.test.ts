import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { dial, upstreamName } from '../../../src/server/postgres/dial.ts';

describe('connecting to a server', () => {
  it('gives up a connection that takes too long', async () => {
    const clock = {
      now: () => 0,
      // The time is over before anything can have connected.
      after(ms: number, callback: () => void) {
        expect(ms).toBe(LIMITS.upstreamConnect);
        queueMicrotask(callback);
        return () => undefined;
      },
    };
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no address');
    const [error] = await once(dial({ host: '127.0.0.1', port: address.port }, clock), 'error').catch(
      (thrown: unknown) => [thrown],
    );
    expect(error).toMatchObject({ message: `no connection within ${LIMITS.upstreamConnect} ms` });
    server.close();
  });

  it('is named by its socket, or as a URL names it', () => {
    expect(upstreamName({ host: '/run/postgresql', port: 5432 })).toBe('/run/postgresql/.s.PGSQL.5432');
    expect(upstreamName({ host: 'db.internal', port: 5432 })).toBe('db.internal:5432');
    expect(upstreamName({ host: '::1', port: 5432 })).toBe('[::1]:5432');
  });
});
