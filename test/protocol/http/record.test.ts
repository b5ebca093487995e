import { describe, expect, it } from 'vitest';
import { CATALOGUE, type ErrorCode } from '../../../src/core/errors.ts';
import { refusal } from '../../../src/core/refusal.ts';
import { requestAction, tunnelAction } from '../../../src/protocol/http/action.ts';
import { readBody } from '../../../src/protocol/http/body.ts';
import { explainHttp, type HttpCase } from '../../../src/protocol/http/explain.ts';
import { endToEnd, hasConflict, visibleHeaders } from '../../../src/protocol/http/headers.ts';
import { parseHost } from '../../../src/protocol/http/host.ts';
import { audienceOf, problemResponse } from '../../../src/protocol/http/refusal.ts';
import type { RequestHead } from '../../../src/protocol/http/request.ts';

const json = { 'content-type': 'application/json' };
const base: HttpCase = {
  method: 'POST',
  url: 'https://a.test/v1/things/42?x=1',
  headers: { ...json, authorization: 'Bearer one' },
  body: '{"a":1}',
};
const exact = (more: Partial<HttpCase>) => explainHttp({ ...base, ...more }).fingerprint.exact;
const shape = (more: Partial<HttpCase>) => explainHttp({ ...base, ...more }).fingerprint.shape;
const sigv4 = (key: string, date: string, signature: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=${key}/${date}/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=${signature}`,
});

describe('what an approval covers', () => {
  it.each<[string, Partial<HttpCase>]>([
    ['the method', { method: 'PUT' }],
    ['the host', { url: 'https://b.test/v1/things/42?x=1' }],
    ['the port', { url: 'https://a.test:8443/v1/things/42?x=1' }],
    ['the scheme', { url: 'http://a.test:443/v1/things/42?x=1' }],
    ['the path', { url: 'https://a.test/v1/things/43?x=1' }],
    ['the spelling of the path', { url: 'https://a.test/v1/thing%73/42?x=1' }],
    ['the query', { url: 'https://a.test/v1/things/42?x=2' }],
    ['the body', { body: '{"a":2}' }],
    ['the body’s spelling', { body: '{"a": 1}' }],
    ['the credential', { headers: { ...json, authorization: 'Bearer two' } }],
    ['any other field', { headers: { ...base.headers, 'x-any': '1' } }],
    ['the media type', { headers: { 'content-type': 'text/plain', authorization: 'Bearer one' } }],
  ])('covers %s', (_name, change) => expect(exact(change)).not.toBe(exact({})));

  it.each<[string, Partial<HttpCase>]>([
    [
      'a trace context',
      {
        headers: {
          ...base.headers,
          traceparent: '00-1',
          'x-request-id': 'r',
          'amz-sdk-request': 'attempt=2',
        },
      },
    ],
    ['the order of fields', { headers: { authorization: 'Bearer one', ...json } }],
    ['the case of names', { headers: { 'Content-Type': 'application/json', Authorization: 'Bearer one' } }],
    [
      'fields of this hop',
      { headers: { ...base.headers, connection: 'keep-alive', 'proxy-authorization': 'Basic x' } },
    ],
    [
      'a default port written out',
      { url: 'https://A.test:443/v1/things/42?x=1', headers: { ...base.headers, host: 'a.test' } },
    ],
  ])('does not cover %s', (_name, change) => {
    const reference = exact({ headers: { ...base.headers, host: 'a.test' } });
    expect(exact({ ...change, headers: { ...(change.headers ?? base.headers), host: 'a.test' } })).toBe(
      reference,
    );
  });

  it('lets a signature move with the clock, and not to another key', () => {
    const of = (headers: Record<string, string>) => exact({ headers });
    expect(of({ ...sigv4('AKID', '20261122', 'aa'), 'x-amz-date': '1' })).toBe(
      of({ ...sigv4('AKID', '20261123', 'bb'), 'x-amz-date': '2' }),
    );
    expect(of(sigv4('AKID', '20261122', 'aa'))).not.toBe(of(sigv4('AKIE', '20261122', 'aa')));
  });

  it('groups by kind of call, and never what could not be read', () => {
    expect(shape({ url: 'https://a.test/v1/things/99?x=2', body: '{"a":3}' })).toBe(shape({}));
    expect(shape({ url: 'https://a.test/v1/things/99?y=2' })).not.toBe(shape({}));
    expect(shape({ url: 'https://a.test/v1/others/42?x=1' })).not.toBe(shape({}));
    for (const change of [
      { body: '{"a"' },
      { body: '{"a":1,"a":2}' },
      { url: 'https://a.test/v1//42' },
      { url: 'https://a.test/v1/1?_method=PUT' },
    ]) {
      expect(shape(change)).toBe(exact(change));
    }
  });
});

describe('header fields', () => {
  it('keeps what goes end to end, as it was', () => {
    const raw = [
      'Host',
      'a',
      'X-A',
      '1',
      'Connection',
      'x-b, Host',
      'X-B',
      '2',
      'x-a',
      '3',
      'Transfer-Encoding',
      'chunked',
    ];
    expect(endToEnd(raw)).toEqual(['Host', 'a', 'X-A', '1', 'x-a', '3']);
  });

  it('joins repeated fields, and redacts credentials but for their kind', () => {
    expect(
      visibleHeaders([
        ...[
          'Accept',
          'a',
          'accept',
          'b',
          'Authorization',
          'Bearer abc',
          'Proxy-Authorization',
          'Basic eDp5',
          'X-Api-Key',
          'k',
        ],
        ...[
          'Cookie',
          'sid=1; theme=dark',
          'X-Acme-Token',
          't',
          'X-Amz-Security-Token',
          's',
          'authorization',
          'raw',
        ],
      ]),
    ).toEqual({
      accept: 'a, b',
      authorization: 'Bearer [redacted], [redacted]',
      'proxy-authorization': 'Basic [redacted]',
      'x-api-key': '[redacted]',
      cookie: 'sid=[redacted]; theme=[redacted]',
      'x-acme-token': '[redacted]',
      'x-amz-security-token': '[redacted]',
    });
  });

  it('notices a doubled field that must be alone', () => {
    expect(hasConflict(['Content-Type', 'a', 'content-type', 'b'])).toBe(true);
    expect(hasConflict(['Connection', 'authorization'])).toBe(true);
    expect(hasConflict(['Accept', 'a', 'Accept', 'b'])).toBe(false);
  });
});

describe('what reviewers and the log are shown', () => {
  it('shows the exact call, without its credentials', () => {
    const { display } = explainHttp({
      method: 'POST',
      url: 'https://a.test/login?api_key=k1&page=2',
      headers: { ...json, authorization: 'Bearer abc', 'x-kept': 'yes' },
      body: '{"user":"u","password":"hunter2","nested":[{"access_token":"t"}],"max_tokens":5}',
    });
    expect(display.title).toBe('POST https://a.test/login?api_key=[redacted]&page=2');
    for (const secret of ['k1', 'abc', 'hunter2', '"t"']) expect(display.text).not.toContain(secret);
    for (const shown of [
      'x-kept: yes',
      'authorization: Bearer [redacted]',
      '"user": "u"',
      '"max_tokens": 5',
    ]) {
      expect(display.text).toContain(shown);
    }
  });

  it('shows a body without secrets octet for octet', () => {
    const body = '{"b" : 1,\n "a":[ ]}';
    expect(explainHttp({ ...base, body }).display.text.endsWith(`\n\n${body}`)).toBe(true);
  });

  it.each([
    '{"password":"hunter2","cut',
    'user=u; api_key = hunter2',
    'token: hunter2',
    '{"passphrase":"hunter2","cut',
    'private_key=hunter2',
    '<Credentials>hunter2</Credentials>',
    '<r><SecretAccessKey>hunter2</SecretAccessKey></r>',
    '{"client_secret": "hun\\"ter2"',
  ])('takes credentials out of %j, which nobody can parse', (body) => {
    const { display } = explainHttp({
      method: 'POST',
      url: 'https://a.test/',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(display.text).not.toMatch(/hun|ter2/);
    expect(display.text).toContain('[redacted]');
  });

  it.each([
    ['names without an end', `<${'token'.repeat(200_000)}`],
    ['elements without an end', '<token>x'.repeat(120_000)],
    ['names without a value', 'token '.repeat(170_000)],
    ['values without an end', 'token:"'.repeat(140_000)],
    ['white space', `token${' '.repeat(1_000_000)}`],
  ])('reads a megabyte of %s about as fast as it is long', (_what, body) => {
    const started = performance.now();
    explainHttp({ method: 'POST', url: 'https://a.test/', headers: { 'content-type': 'text/plain' }, body });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('never shows the data of a Secret', () => {
    const { display } = explainHttp({
      method: 'PATCH',
      url: 'https://k.test/api/v1/namespaces/prod/secrets/db',
      headers: json,
      body: '{"stringData":{"url":"postgres://u:p@h"}}',
    });
    expect(display.title).toBe('kubernetes: patch secrets db in prod');
    expect(display.text).not.toContain('postgres://');
    expect(display.text).toContain('"url": "[redacted]"');
  });

  it('says what it does not show', () => {
    const head: RequestHead = {
      method: 'PUT',
      target: {
        scheme: 'https',
        authority: { host: parseHost('a.test') ?? { name: '', address: null }, port: 443 },
        path: '/x',
      },
      protocol: 'HTTP/1.1',
      headers: ['Host', 'a.test'],
      tls: { sni: 'a.test', intercepted: true },
    };
    const destination = { address: '203.0.113.7', port: 443, class: 'public', self: false } as const;
    const body = readBody({ kind: 'kept', size: 5_000_000, sha256: 'ab'.repeat(32) }, head.headers, 10);
    const action = requestAction({ head, destination, body }, { waitMs: 1 });
    expect(action.display.text).toContain(`5000000 octets, sha256 ${'ab'.repeat(32)}, content not read`);
    expect(action.record).toMatchObject({
      method: 'PUT',
      url: 'https://a.test/x',
      body: null,
      body_octets: 5_000_000,
    });
    const tunnel = tunnelAction(
      { ...head, method: 'CONNECT', target: { ...head.target, path: '' } },
      destination,
      { waitMs: 1 },
    );
    expect(tunnel.display).toMatchObject({ title: 'CONNECT a.test:443' });
  });
});

describe('problem documents', () => {
  it('carries the catalogue’s status for every code', () => {
    for (const code of Object.keys(CATALOGUE) as ErrorCode[]) {
      const { status, headers, body } = problemResponse(refusal(code, 'why'));
      expect(status).toBe(CATALOGUE[code].status);
      expect(headers).toEqual(expect.arrayContaining(['application/problem+json', String(body.length)]));
      expect(JSON.parse(body.toString())).toMatchObject({
        status,
        title: CATALOGUE[code].title,
        detail: 'why',
        remedy: CATALOGUE[code].remedy,
      });
    }
  });

  it('tells a client that waits when to come back, and with which ticket', () => {
    const { headers, status } = problemResponse(
      refusal('hold_pending', 'waiting', { ticket: 'HP-0000000A', retryAfter: 29.2 }),
    );
    expect(status).toBe(503);
    expect(headers).toEqual(
      expect.arrayContaining([
        'Retry-After',
        '30',
        'Holdpoint-Ticket',
        'HP-0000000A',
        'Holdpoint-Decision',
        'pending',
      ]),
    );
  });

  it('says where the ticket can be asked after', () => {
    const ticketUrl = (ticket: string) => `http://127.0.0.1:3180/api/v1/approvals/${ticket}`;
    const document = (ticket: string | null): unknown =>
      JSON.parse(
        problemResponse(refusal('hold_pending', 'waiting', { ticket }), { ticketUrl }).body.toString(),
      );
    expect(document('HP-0000000A')).toMatchObject({
      instance: 'http://127.0.0.1:3180/api/v1/approvals/HP-0000000A',
    });
    expect(document(null)).not.toHaveProperty('instance');
  });

  it('speaks to kubectl in its own words, and to nobody else', () => {
    const audience = (agent: string, url: string) => {
      const { facts } = explainHttp({
        method: 'GET',
        url,
        headers: { 'user-agent': agent, accept: 'application/json' },
      });
      return audienceOf(facts);
    };
    const pods = 'https://k.test/api/v1/namespaces/a/pods';
    expect(audience('kubectl/v1.32.4 (linux/amd64) kubernetes/59526cd', pods)).toBe('kubernetes');
    expect(audience('controller/v0 (linux/amd64) kubernetes/$Format', pods)).toBe('kubernetes');
    expect(audience('curl/8.0', pods)).toBe('any');
    expect(audience('kubectl/v1.32.4', 'https://k.test/other')).toBe('any');
    const denied = refusal('policy_denied', 'scaling prod', {
      rules: [{ id: 'http.k8s', reason: 'scaling prod', severity: 'high', controls: [] }],
    });
    const { headers, body } = problemResponse(denied, { audience: 'kubernetes' });
    expect(headers).toEqual(expect.arrayContaining(['application/json']));
    expect(JSON.parse(body.toString())).toMatchObject({
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      reason: 'Forbidden',
      code: 403,
      message: expect.stringContaining('Holdpoint: scaling prod') as string,
    });
  });
});
