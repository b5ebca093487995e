import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import type { IpAddress } from '../../../src/protocol/http/address.ts';
import { parseAuthority } from '../../../src/protocol/http/host.ts';
import { createOwnAddresses } from '../../../src/server/http/own-addresses.ts';
import { createResolver, readResolveMap } from '../../../src/server/http/resolve.ts';
import { clock, type Origin, type RunningProxy, startOrigin, startProxy } from './support.ts';
import { converse } from './wire.ts';

const LOOPBACK_SPELLINGS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.0.0.1.',
  '0x7f000001',
  '0x7F.0.0.0x1',
  '0177.0.0.1',
  '017700000001',
  '2130706433',
  '127.255.255.254',
  '0.0.0.0',
  '0',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  'localhost',
  'LOCALHOST',
  'localhost.',
];

const outward = Object.values(networkInterfaces())
  .flat()
  .find((entry) => entry && !entry.internal && entry.family === 'IPv4')?.address;

describe('Holdpoint itself', () => {
  let proxy: RunningProxy;
  let control: Origin;
  let reached = 0;

  beforeAll(async () => {
    control = await startOrigin((_request, response) => {
      reached += 1;
      response.end('the control API');
    });
    proxy = await startProxy({ upstream: { ca: [], resolve: { 'inside.test:80': '127.0.0.1:1' } } });
    proxy.own.push({ host: '127.0.0.1', port: control.port });
  });
  afterAll(async () => {
    await proxy.stop();
    await control.stop();
  });
  beforeEach(() => {
    reached = 0;
    proxy.pipeline.asked.length = 0;
  });

  const get = (host: string, port: number) =>
    converse(
      proxy.port,
      `GET http://${host}:${port}/api/v1/approvals HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: close\r\n\r\n`,
    );

  it.each([...LOOPBACK_SPELLINGS, ...(outward ? [outward] : [])])('is out of reach as %s', async (host) => {
    for (const port of [control.port, proxy.port]) {
      const answer = await get(host, port);
      expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*"code": "destination_self"/);
    }
    expect(reached).toBe(0);
    // The attempt is evidence: it goes through the pipeline, barred.
    expect(proxy.pipeline.asked).toHaveLength(2);
    expect(proxy.pipeline.asked[0]?.facts).toMatchObject({ action: { tags: ['self'] } });
    expect(proxy.pipeline.asked[0]?.barred?.code).toBe('destination_self');
  });

  it.each(LOOPBACK_SPELLINGS)('is out of reach through CONNECT as %s', async (host) => {
    const answer = await converse(proxy.port, `CONNECT ${host}:${control.port} HTTP/1.1\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*destination_self/);
    expect(reached).toBe(0);
  });

  it('is out of reach for a pipeline that knows nothing of bars', async () => {
    const { admit } = proxy.pipeline;
    proxy.pipeline.admit = ({ barred: _barred, ...action }, caller) =>
      admit.call(proxy.pipeline, action, caller);
    const answer = await get('127.0.0.1', control.port);
    proxy.pipeline.admit = admit;
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*destination_self/);
    expect(reached).toBe(0);
    expect(proxy.pipeline.outcomes.at(-1)).toEqual({
      status: 'aborted',
      detail: { reason: 'destination_self' },
    });
  });

  it('leaves other ports of this machine to policy', async () => {
    const other = await startOrigin((_request, response) => response.end('not ours'));
    expect(await get('127.0.0.1', other.port)).toMatch(/200 OK[\s\S]*not ours/);
    await other.stop();
  });

  it('refuses a host that only some resolvers would take for an address', async () => {
    for (const host of [
      '08.0.0.1',
      '1.2.3.4.5',
      '0x',
      '256.0.0.1',
      '127.0.0.1%25',
      'a..b',
      '-a.test',
      '[::1%25lo]',
      '１２７.0.0.1',
    ]) {
      const answer = await converse(
        proxy.port,
        Buffer.from(`GET http://${host}/ HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
      );
      expect(answer, host).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(proxy.pipeline.asked).toEqual([]);
  });

  it('says so when a name does not resolve', async () => {
    const answer = await converse(
      proxy.port,
      'GET http://nobody.invalid/ HTTP/1.1\r\nHost: nobody.invalid\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 502 [\s\S]*destination_unresolved/);
  });
});

describe('resolving', () => {
  const own = createOwnAddresses(() => [{ host: '127.0.0.1', port: 3180 }]);
  const v4 = (text: string): IpAddress => ({ text, family: 4 });
  const authority = (text: string) => {
    const parsed = parseAuthority(text, 443);
    if (!parsed) throw new Error(text);
    return parsed;
  };

  it('pins what it found, and falls back only to addresses of the same class', async () => {
    const answers = [v4('203.0.113.7'), v4('169.254.169.254'), v4('203.0.113.8'), v4('10.0.0.1')];
    const resolver = createResolver({ map: {}, own, clock, lookup: async () => answers });
    expect(await resolver.resolve(authority('a.test'))).toEqual({
      address: '203.0.113.7',
      addresses: [v4('203.0.113.7'), v4('203.0.113.8')],
      port: 443,
      class: 'public',
      self: false,
    });
  });

  it('asks once for many, again when the answer is old, and never remembers a failure', async () => {
    let now = 0;
    let asked = 0;
    let fail = false;
    const lookup = async () => {
      asked += 1;
      if (fail) throw Object.assign(new Error(), { code: 'ESERVFAIL' });
      return [v4('203.0.113.7')];
    };
    const resolver = createResolver({
      map: {},
      own,
      clock: { now: () => now, after: () => () => {} },
      lookup,
    });
    await Promise.all([resolver.resolve(authority('a.test')), resolver.resolve(authority('a.test:80'))]);
    expect(asked).toBe(1);
    now = LIMITS.resolvedFor;
    await resolver.resolve(authority('a.test'));
    expect(asked).toBe(2);
    fail = true;
    for (let count = 0; count < 2; count += 1) {
      await expect(resolver.resolve(authority('b.test'))).rejects.toThrow(
        'b.test does not resolve (ESERVFAIL)',
      );
    }
    expect(asked).toBe(4);
  });

  it('remembers a bounded number of names', async () => {
    const asked: string[] = [];
    const lookup = async (name: string) => {
      asked.push(name);
      return [v4('203.0.113.7')];
    };
    const resolver = createResolver({ map: {}, own, clock: { now: () => 0, after: () => () => {} }, lookup });
    for (let index = 0; index <= LIMITS.resolvedNames; index += 1)
      await resolver.resolve(authority(`h${index}.test`));
    await resolver.resolve(authority('h1.test'));
    expect(asked).toHaveLength(LIMITS.resolvedNames + 1);
    await resolver.resolve(authority('h0.test'));
    expect(asked).toHaveLength(LIMITS.resolvedNames + 2);
  });

  it('gives up on a look-up that takes too long', async () => {
    let expire: () => void = () => {};
    const waiting = createResolver({
      map: {},
      own,
      clock: {
        now: () => 0,
        after: (ms, callback) => {
          expect(ms).toBe(LIMITS.resolveDeadline);
          expire = callback;
          return () => {};
        },
      },
      lookup: () => new Promise(() => {}),
    }).resolve(authority('slow.test'));
    expire();
    await expect(waiting).rejects.toThrow('slow.test was not resolved in time');
  });

  it('lets policy see an attempt at metadata even where there is none', async () => {
    const lookup = () => Promise.reject(new Error());
    const resolver = createResolver({ map: {}, own, clock, lookup });
    expect(await resolver.resolve(authority('metadata.google.internal:80'))).toMatchObject({
      class: 'metadata',
      addresses: [],
    });
  });

  it('takes the map before the resolver, and still knows itself and its class', async () => {
    const resolver = createResolver({
      map: {
        'k8s.test:6443': '127.0.0.1:16443',
        'trap.test:443': '127.0.0.1:3180',
        'six.test:443': '[::1]:8443',
        'bare.test:443': '10.1.2.3',
      },
      own,
      clock,
      lookup: () => Promise.reject(new Error('not asked')),
    });
    expect(await resolver.resolve(authority('k8s.test:6443'))).toMatchObject({
      address: '127.0.0.1',
      port: 16443,
      class: 'loopback',
      self: false,
    });
    expect(await resolver.resolve(authority('trap.test'))).toMatchObject({ self: true });
    expect(await resolver.resolve(authority('six.test'))).toMatchObject({ address: '::1', port: 8443 });
    expect(await resolver.resolve(authority('bare.test'))).toMatchObject({
      address: '10.1.2.3',
      port: 443,
      class: 'private',
    });
  });

  it.each([
    ['no-port', '127.0.0.1:1'],
    ['a.test:443', 'b.test:443'],
    ['a.test:443', '127.0.0.1:70000'],
  ])('refuses the map entry %s: %s', (from, to) => {
    expect(() => readResolveMap({ [from]: to })).toThrow(/upstream\.resolve/);
  });
});
