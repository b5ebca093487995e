import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import type { Clock } from '../../../src/core/ports.ts';
import { type RunningProxy, startOrigin, startProxy } from './support.ts';
import { converse, open, type Wire } from './wire.ts';

/** A clock that stands still until it is told which wait is over. */
function stoppedClock(): Clock & { expire(ms: number): Promise<void> } {
  const waits = new Set<{ ms: number; callback: () => void }>();
  let watchers: (() => void)[] = [];
  return {
    now: () => 0,
    after(ms, callback) {
      const wait = { ms, callback };
      waits.add(wait);
      for (const watcher of watchers.splice(0)) watcher();
      return () => void waits.delete(wait);
    },
    /** Ends every wait of that length; the first may still have to begin. */
    async expire(ms) {
      const due = () => [...waits].filter((wait) => wait.ms === ms);
      while (due().length === 0) await new Promise<void>((resolve) => (watchers = [...watchers, resolve]));
      for (const wait of due()) {
        waits.delete(wait);
        wait.callback();
      }
    },
  };
}

async function withProxy(
  run: (proxy: RunningProxy, clock: ReturnType<typeof stoppedClock>) => Promise<void>,
): Promise<void> {
  const clock = stoppedClock();
  const proxy = await startProxy(
    { upstream: { ca: [], resolve: { 'a.test:443': '127.0.0.1:1' } } },
    { clock },
  );
  try {
    await run(proxy, clock);
  } finally {
    await proxy.stop();
  }
}

describe('how long and how much', () => {
  it('waits so long for the rest of a body', () =>
    withProxy(async (proxy, clock) => {
      const client = open(proxy.port);
      client.send('POST http://127.0.0.1:1/ HTTP/1.1\r\nHost: 127.0.0.1:1\r\nContent-Length: 5\r\n\r\nab');
      await clock.expire(LIMITS.httpBodyIdle);
      await client.expect(/^HTTP\/1\.1 408 [\s\S]*Connection: close[\s\S]*\}\s*$/);
      // The client goes on sending; its connection ends all the same.
      await clock.expire(LIMITS.httpLinger);
      await client.closed();
      expect(proxy.pipeline.asked).toEqual([]);
    }));

  it('waits so long for the first octet in a tunnel, and for its handshake', () =>
    withProxy(async (proxy, clock) => {
      const silent = open(proxy.port);
      silent.send('CONNECT a.test:443 HTTP/1.1\r\n\r\n');
      await silent.expect(/200 Connection Established/);
      await clock.expire(LIMITS.httpHeaderTimeout);
      await silent.closed();
      const slow = open(proxy.port);
      slow.send('CONNECT a.test:443 HTTP/1.1\r\n\r\n');
      await slow.expect(/200 Connection Established/);
      slow.send(Buffer.from([0x16, 0x03, 0x01]));
      await clock.expire(LIMITS.httpTlsHandshake);
      await slow.closed();
    }));

  it('cuts off what is not finished when draining has lasted long enough', async () => {
    const origin = await startOrigin(() => {});
    const clock = stoppedClock();
    const proxy = await startProxy({}, { clock });
    const client = open(proxy.port);
    client.send(`GET http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`);
    await once(origin.server, 'request');
    const drained = proxy.listener.drain();
    await clock.expire(LIMITS.drain);
    await drained;
    await client.closed();
    expect(proxy.pipeline.outcomes).toMatchObject([{ status: 'aborted' }]);
    await origin.stop();
  });

  it('does not wait for connections that have become idle', async () => {
    let release: () => void = () => {};
    const origin = await startOrigin((_request, response) => {
      release = () => response.end('done');
    });
    const proxy = await startProxy({}, { clock: stoppedClock() });
    const client = open(proxy.port);
    client.send(`GET http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`);
    await once(origin.server, 'request');
    const drained = proxy.listener.drain();
    release();
    expect(await client.closed()).toMatch(/200 OK[\s\S]*done/);
    await drained;
    await origin.stop();
  });

  it('keeps connections to a bounded number of origins', async () => {
    const resolve: Record<string, string> = {};
    let opened = 0;
    let closed = 0;
    const origin = await startOrigin((_request, response) => response.end());
    origin.server.keepAliveTimeout = 60_000;
    let evicted: () => void = () => {};
    const first = new Promise<void>((done) => {
      evicted = done;
    });
    origin.server.on('connection', (socket) => {
      opened += 1;
      socket.once('close', () => {
        closed += 1;
        evicted();
      });
    });
    for (let index = 0; index <= LIMITS.upstreamPools; index += 1)
      resolve[`h${index}.test:80`] = `127.0.0.1:${origin.port}`;
    const proxy = await startProxy({ upstream: { ca: [], resolve } });
    const get = (index: number) =>
      converse(
        proxy.port,
        `GET http://h${index}.test/ HTTP/1.1\r\nHost: h${index}.test\r\nConnection: close\r\n\r\n`,
      );
    for (let index = 0; index < LIMITS.upstreamPools; index += 1) await get(index);
    expect([opened, closed]).toEqual([LIMITS.upstreamPools, 0]);
    await get(LIMITS.upstreamPools);
    await first;
    expect([opened, closed]).toEqual([LIMITS.upstreamPools + 1, 1]);
    await proxy.stop();
    await origin.stop();
  });

  it('takes a bounded number of connections', async () => {
    const proxy = await startProxy();
    const sockets: Wire[] = [];
    // In batches: more at once than the backlog holds would be accepted in no particular order.
    while (sockets.length < LIMITS.httpConnections) {
      const batch = Array.from({ length: 100 }, () => open(proxy.port));
      await Promise.all(batch.map(({ socket }) => once(socket, 'connect')));
      sockets.push(...batch);
    }
    const one = open(proxy.port);
    one.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await one.closed()).toBe('');
    sockets[0]?.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await sockets[0]?.expect(/^HTTP\/1\.1 400 /);
    for (const { socket } of sockets) socket.destroy();
    await proxy.stop();
  });
});
