import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Origin, type RunningProxy, run, startOrigin, startProxy, startTlsOrigin } from './support.ts';

describe('curl through the proxy', () => {
  let proxy: RunningProxy;
  let plain: Origin;
  let secure: Origin & { ca: string };

  beforeAll(async () => {
    plain = await startOrigin((request, response) => {
      response.setHeader('X-Seen', `${request.method} ${request.url} ${request.headers.host}`);
      response.end('plain answer');
    });
    secure = await startTlsOrigin(['api.example.test'], (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => response.end(`secure ${request.method} ${Buffer.concat(chunks)}`));
    });
    proxy = await startProxy({
      upstream: { ca: [secure.ca], resolve: { 'api.example.test:443': `127.0.0.1:${secure.port}` } },
    });
  });
  afterAll(async () => {
    await proxy.stop();
    await plain.stop();
    await secure.stop();
  });
  beforeEach(() => {
    proxy.pipeline.verdict = () => 'allow';
    proxy.pipeline.asked.length = 0;
  });

  const curl = (...args: string[]) => run('curl', ['-sS', '--max-time', '10', '--proxy', proxy.url, ...args]);

  it('carries an absolute-form request', async () => {
    const seen = await curl('-i', `http://127.0.0.1:${plain.port}/a?b=c`);
    expect(seen.stderr).toBe('');
    expect(seen.stdout).toContain('200 OK');
    expect(seen.stdout).toContain(`X-Seen: GET /a?b=c 127.0.0.1:${plain.port}`);
    expect(seen.stdout).toContain('plain answer');
  });

  it('opens a CONNECT tunnel in the name of the host and judges what is inside', async () => {
    const seen = await curl(
      '--cacert',
      proxy.caFile,
      '-d',
      '{"a":1}',
      '-H',
      'content-type: application/json',
      'https://api.example.test/v1/x',
    );
    expect(seen).toEqual({ code: 0, stdout: 'secure POST {"a":1}', stderr: '' });
    const [action] = proxy.pipeline.asked;
    expect(action?.facts).toMatchObject({
      parsed_body: { a: 1 },
      attributes: {
        request: { http: { method: 'POST', host: 'api.example.test', scheme: 'https', path: '/v1/x' } },
      },
      http: { tls: { sni: 'api.example.test', intercepted: true }, destination_class: 'loopback' },
    });
  });

  it('does not let curl accept a certificate of another authority', async () => {
    const seen = await curl('https://api.example.test/');
    expect(seen.code).toBe(60);
  });

  it('answers a denial inside the tunnel with a problem document', async () => {
    proxy.pipeline.verdict = () => 'deny';
    const seen = await curl('-i', '--cacert', proxy.caFile, 'https://api.example.test/v1/x');
    expect(seen.stdout).toMatch(/HTTP\/1\.1 403 Forbidden/);
    expect(seen.stdout).toMatch(/content-type: application\/problem\+json/i);
    const document: unknown = JSON.parse(seen.stdout.slice(seen.stdout.lastIndexOf('\r\n\r\n')));
    expect(document).toMatchObject({
      title: 'Denied by policy',
      status: 403,
      detail: 'the script denies it',
      rules: [{ id: 'http.script' }],
      decision: 'd-1',
    });
  });

  it('holds until a person has answered', async () => {
    proxy.pipeline.verdict = () => 'hold';
    const running = curl('--cacert', proxy.caFile, '-X', 'DELETE', 'https://api.example.test/v1/x');
    const { action, answer } = await proxy.pipeline.held();
    expect(action.display.title).toBe('DELETE https://api.example.test/v1/x');
    answer(true);
    expect((await running).stdout).toBe('secure DELETE ');
  });
});
