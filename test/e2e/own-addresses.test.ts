/**
 * The proxy is no way to Holdpoint itself: not to the control API, not to a listener, however the address is spelt,
 * and though policy here, in shadow mode, keeps nobody from anything.
 */

import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ports, type Running, startHoldpoint } from '../support/running.ts';
import { ask } from './http-agent.ts';
import { recordsOf } from './records.ts';
import { openTunnel, sayInTls, sayPlain } from './tunnel.ts';

let running: Running;
let ports: Ports;

beforeAll(async () => {
  running = await startHoldpoint({
    config: (chosen) => {
      ports = chosen;
      const { control, postgres, http } = chosen;
      return {
        embedded_postgres: undefined,
        policy: { mode: 'shadow' },
        http: {
          tls: { bypass: ['localhost', '127.0.0.1', 'tunnel.example.test'] },
          upstream: {
            resolve: Object.fromEntries(
              ['hidden', 'tunnel'].flatMap((name) =>
                Object.entries({ 80: control, 443: control, 5432: postgres, 3128: http }).map(
                  ([port, own]) => [`${name}.example.test:${port}`, `127.0.0.1:${own}`],
                ),
              ),
            ),
          },
        },
      };
    },
  });
});

afterAll(() => running.stop());

const machine = Object.values(networkInterfaces())
  .flatMap((entries) => entries ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const SPELLINGS = [
  'localhost',
  'LOCALHOST',
  'localhost.',
  '127.0.0.1',
  '127.1',
  '127.0.0.2',
  '0x7f000001',
  '0x7f.1',
  '017700000001',
  '2130706433',
  '0.0.0.0',
  '0',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '127。0。0。1',
  ...(machine ? [machine, `[::ffff:${machine}]`] : []),
];
/** What the control API alone would say. */
const ITS_WORDS = /"status":\s*"ok"|holdpoint_decisions_total|"tickets"|unauthenticated/;
const CODE = /"code":\s*"(\w+)"/;
const REFUSED = ['destination_self', 'request_malformed'];
const PROBE = 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';

const targets = () => [ports.control, ports.postgres, ports.http];

describe.each(SPELLINGS)('%s', (host) => {
  it('leads nowhere in absolute-form', async () => {
    for (const port of targets()) {
      // The octets of the name, not a URL that was put right.
      const authority = `${Buffer.from(host).toString('latin1')}:${port}`;
      const url = `http://${authority}/healthz`;
      const { status, text } = await ask(running.proxyUrl, { url, headers: { host: authority } });
      expect([400, 403], text).toContain(status);
      expect(text).not.toMatch(ITS_WORDS);
      expect(REFUSED).toContain(CODE.exec(text)?.[1]);
    }
  });

  it('leads nowhere by CONNECT', async () => {
    for (const port of targets()) {
      const authority = `${Buffer.from(host).toString('latin1')}:${port}`;
      const tunnel = await openTunnel(running.proxyUrl, authority);
      const said = tunnel.status === 200 ? await sayInTls(tunnel, PROBE) : tunnel.said;
      expect(said).not.toMatch(ITS_WORDS);
      expect(REFUSED, said).toContain(CODE.exec(said)?.[1]);
      if (tunnel.status !== 200) continue;
      const plain = await sayPlain(await openTunnel(running.proxyUrl, authority), PROBE);
      expect(plain).not.toMatch(ITS_WORDS);
    }
  });
});

describe('a name that is mapped to it', () => {
  it.each([80, 443, 5432, 3128])('leads nowhere: port %d', async (port) => {
    const plain = await ask(running.proxyUrl, { url: `http://hidden.example.test:${port}/healthz` });
    expect(plain).toMatchObject({ status: 403, json: { code: 'destination_self' } });
    const intercepted = await openTunnel(running.proxyUrl, `hidden.example.test:${port}`);
    const said = intercepted.status === 200 ? await sayInTls(intercepted, PROBE) : intercepted.said;
    expect(CODE.exec(said)?.[1], said).toBe('destination_self');
    const blind = await openTunnel(running.proxyUrl, `tunnel.example.test:${port}`);
    expect(blind.status).toBe(403);
    expect(CODE.exec(blind.said)?.[1]).toBe('destination_self');
  });
});

it('leaves a record of each attempt, and no outcome', () => {
  const records = recordsOf(running);
  expect(records.filter(({ type }) => type === 'outcome')).toEqual([]);
  expect(records.filter(({ type }) => type === 'decision').length).toBeGreaterThan(SPELLINGS.length);
});
