import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ActionFacts } from '../../../src/core/facts.ts';
import { readGraphql } from '../../../src/protocol/http/apis/graphql-document.ts';
import { routeTable } from '../../../src/protocol/http/apis/routes.ts';
import { explainHttp } from '../../../src/protocol/http/explain.ts';

type Row = [
  method: string,
  url: string,
  more: { headers?: Record<string, string>; body?: string },
  expected: Partial<ActionFacts>,
];

const signed = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=AKID/20261123/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});
const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

const ROWS: readonly Row[] = [
  // AWS: which service, which operation.
  [
    'POST',
    'https://sts.amazonaws.com/',
    { headers: form, body: 'Action=AssumeRoleWithWebIdentity&Version=2011-06-15' },
    { service: 'aws:sts', operation: 'AssumeRoleWithWebIdentity', access: 'write', tags: ['credential'] },
  ],
  [
    'GET',
    'https://sts.amazonaws.com/?Action=GetCallerIdentity',
    {},
    { service: 'aws:sts', operation: 'GetCallerIdentity', access: 'read' },
  ],
  [
    'POST',
    'https://iam.amazonaws.com/?Action=ListUsers',
    { headers: { ...signed('iam'), ...form }, body: 'Action=DeleteUser' },
    { service: 'aws:iam', operation: null, access: 'unknown' },
  ],
  [
    'POST',
    'http://localstack.test:4566/',
    {
      headers: {
        ...signed('sqs'),
        'x-amz-target': 'AmazonSQS.PurgeQueue',
        'content-type': 'application/x-amz-json-1.0',
      },
      body: '{}',
    },
    { service: 'aws:sqs', operation: 'PurgeQueue', access: 'write', tags: ['delete'] },
  ],
  [
    'POST',
    'https://monitoring.us-east-1.amazonaws.com/service/GraniteServiceVersion20100801/operation/PutMetricData',
    { headers: { ...signed('monitoring'), 'content-type': 'application/cbor' } },
    { service: 'aws:monitoring', operation: 'PutMetricData', access: 'write' },
  ],
  [
    'POST',
    'https://kms.us-east-1.amazonaws.com/',
    {
      headers: {
        ...signed('kms'),
        'x-amz-target': 'TrentService.Decrypt',
        'content-type': 'application/x-amz-json-1.1',
      },
      body: '{"KeyId":"k"}',
    },
    { operation: 'Decrypt', resource: 'k', tags: ['secrets'] },
  ],
  [
    'POST',
    'https://kms.us-east-1.amazonaws.com/',
    {
      headers: {
        ...signed('kms'),
        'x-amz-target': 'TrentService.PutKeyPolicy',
        'content-type': 'application/x-amz-json-1.1',
      },
      body: '{}',
    },
    { access: 'admin', tags: ['privilege'] },
  ],
  [
    'POST',
    'https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/f/policy',
    { headers: signed('lambda'), body: '{}' },
    { operation: 'AddPermission', resource: 'f', access: 'admin' },
  ],
  [
    'POST',
    'https://lambda.us-east-1.amazonaws.com/2099-01-01/whatever',
    { headers: signed('lambda'), body: '{}' },
    { service: 'aws:lambda', operation: null, access: 'unknown' },
  ],
  [
    'POST',
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse',
    { headers: signed('bedrock'), body: '{}' },
    { service: 'aws:bedrock', operation: 'Converse', tags: ['inference'] },
  ],
  [
    'POST',
    'https://novel.us-east-1.amazonaws.com/',
    { headers: { ...signed('novel'), 'x-amz-target': 'N.FrobnicateThing' }, body: '{}' },
    { operation: 'FrobnicateThing', access: 'unknown' },
  ],
  // S3: the query decides.
  ['GET', 'https://s3.us-east-1.amazonaws.com/', {}, { operation: 'ListBuckets', resource: null }],
  [
    'GET',
    'https://b.s3.amazonaws.com/?list-type=2&prefix=a',
    {},
    { operation: 'ListObjectsV2', resource: 'b', access: 'read' },
  ],
  [
    'GET',
    'https://b.s3.amazonaws.com/a/b.txt?versionId=1&response-content-type=x',
    {},
    { operation: 'GetObject', resource: 'b/a/b.txt' },
  ],
  [
    'PUT',
    'https://s3.amazonaws.com/b/k',
    { headers: { 'x-amz-copy-source': '/c/d' } },
    { operation: 'CopyObject', resource: 'b/k' },
  ],
  ['PUT', 'https://b.s3.amazonaws.com/k?partNumber=1&uploadId=u', {}, { operation: 'UploadPart' }],
  [
    'PUT',
    'https://b.s3.amazonaws.com/k?acl',
    {},
    { operation: 'PutObjectAcl', access: 'admin', tags: ['privilege'] },
  ],
  [
    'DELETE',
    'https://b.s3.amazonaws.com/?publicAccessBlock',
    {},
    {
      operation: 'DeletePublicAccessBlock',
      access: 'admin',
      tags: expect.arrayContaining(['privilege', 'delete']) as string[],
    },
  ],
  ['PUT', 'https://b.s3.amazonaws.com/?policy&acl', {}, { operation: null, access: 'unknown' }],
  ['PUT', 'https://b.s3.amazonaws.com/?brandNew', {}, { operation: null, access: 'unknown' }],
  ['PUT', 'https://b.s3.amazonaws.com/?constructor', {}, { operation: null, access: 'unknown' }],
  // GitHub, OpenAI: the table, and what is not in it.
  [
    'DELETE',
    'https://api.github.com/repos/a/b',
    {},
    { service: 'github', operation: 'repos/delete', resource: 'a/b', access: 'admin', tags: ['delete'] },
  ],
  [
    'POST',
    'https://api.github.com/repos/a/b/actions/workflows/ci.yml/dispatches',
    { headers: json, body: '{"ref":"main"}' },
    { operation: 'actions/create-workflow-dispatch', tags: ['workflow'] },
  ],
  [
    'PUT',
    'https://api.github.com/repos/a/b/contents/deep/er/file',
    { headers: json, body: '{}' },
    { operation: 'repos/create-or-update-file-contents', tags: ['push'] },
  ],
  [
    'POST',
    'https://api.github.com/repos/a/b/brand-new',
    { headers: json, body: '{}' },
    { service: 'github', operation: null, resource: 'a/b', access: 'unknown' },
  ],
  ['GET', 'https://api.github.com/repos/a/b/brand-new', {}, { operation: null, access: 'read' }],
  [
    'POST',
    'https://github.com/acme/app.git/git-receive-pack',
    {},
    { service: 'git', operation: 'git-receive-pack', resource: 'acme/app', tags: ['push'] },
  ],
  [
    'POST',
    'https://api.openai.com/v1/fine_tuning/jobs',
    { headers: json, body: '{}' },
    { service: 'openai', operation: 'createFineTuningJob', tags: ['fine_tuning'] },
  ],
  [
    'POST',
    'https://x.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=1',
    { headers: json, body: '{}' },
    { operation: 'createChatCompletion' },
  ],
  [
    'POST',
    'https://api.openai.com/v1/organization/brand_new',
    { headers: json, body: '{}' },
    { operation: null, access: 'admin' },
  ],
  // GraphQL, MCP, gRPC.
  [
    'POST',
    'https://x.test/graphql',
    { headers: json, body: JSON.stringify({ query: '{ viewer { login } }' }) },
    { service: 'graphql', operation: 'query viewer', access: 'read', tags: ['graphql'] },
  ],
  ['GET', 'https://x.test/graphql?query=%7Bviewer%7D', {}, { operation: 'query viewer', access: 'read' }],
  [
    'POST',
    'https://x.test/graphql',
    {
      headers: json,
      body: JSON.stringify({ query: 'query A{a} mutation B{deleteAll}', operationName: 'B' }),
    },
    { operation: 'mutation deleteAll', access: 'write', tags: ['graphql', 'delete'] },
  ],
  [
    'POST',
    'https://x.test/graphql',
    { headers: json, body: JSON.stringify({ query: 'query A{a} mutation B{b}' }) },
    { operation: null, access: 'unknown' },
  ],
  [
    'POST',
    'https://x.test/graphql',
    { headers: json, body: JSON.stringify({ extensions: { persistedQuery: { sha256Hash: '0' } } }) },
    { operation: null, access: 'unknown' },
  ],
  [
    'POST',
    'https://x.test/graphql',
    { headers: json, body: JSON.stringify([{ query: '{a}' }, { query: 'mutation{b}' }]) },
    { operation: 'batch', access: 'write', tags: ['graphql', 'batch'] },
  ],
  [
    'POST',
    'https://x.test/rpc',
    { headers: json, body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"drop"}}' },
    { service: 'mcp', operation: 'tools/call', resource: 'drop', access: 'unknown', tags: ['tool'] },
  ],
  [
    'POST',
    'https://x.test/rpc',
    { headers: json, body: '{"jsonrpc":"2.0","id":1,"method":"eth_sendTransaction"}' },
    { service: null, access: 'write' },
  ],
  [
    'POST',
    'https://x.test/acme.Users/Get',
    { headers: { 'content-type': 'application/grpc+proto' } },
    { service: 'grpc', operation: 'acme.Users/Get', access: 'unknown' },
  ],
  // Nobody's.
  [
    'DELETE',
    'https://x.test/things/1',
    {},
    { service: null, operation: null, access: 'write', tags: ['delete'] },
  ],
  ['POST', 'https://x.test/users/1/roles', { headers: json, body: '{}' }, { access: 'admin' }],
  ['GET', 'https://x.test/users/1/roles', {}, { access: 'read' }],
  ['TRACE', 'https://x.test/', {}, { access: 'unknown' }],
  [
    'POST',
    'https://x.test/',
    { headers: { 'x-http-method-override': 'DELETE' } },
    { access: 'unknown', tags: ['method_override'] },
  ],
  [
    'POST',
    'https://x.test/',
    { headers: form, body: '_method=delete' },
    { access: 'unknown', tags: ['method_override'] },
  ],
  [
    'POST',
    'https://x.test/',
    { headers: json, body: '{"a":1,"a":2}' },
    { access: 'unknown', tags: ['ambiguous'] },
  ],
];

describe('recognisers', () => {
  it.each(ROWS.map((row) => [`${row[0]} ${row[1]}`, row] as const))(
    '%s',
    (_name, [method, url, more, expected]) => {
      expect(explainHttp({ method, url, ...more }).facts.action).toMatchObject(expected);
    },
  );

  it('refuses a table that is not one', () => {
    expect(() => routeTable('GET nonsense')).toThrow('not a route');
  });
});

describe('the offline view', () => {
  it('shows what the listener would refuse as ambiguous', () => {
    const facts = (headers: Record<string, string>) =>
      explainHttp({ method: 'GET', url: 'https://x.test/a', headers }).facts;
    expect(facts({ host: 'y.test' })).toMatchObject({
      http: { ambiguous: true },
      action: { access: 'unknown', tags: ['ambiguous'] },
    });
    expect(facts({ Host: 'X.test:443' })).toMatchObject({
      http: { ambiguous: false },
      action: { access: 'read' },
    });
  });

  it('resolves nothing but what it is told', () => {
    const where = (url: string, resolve: Record<string, string> = {}) => {
      const { facts } = explainHttp({ method: 'GET', url }, { resolve });
      return [
        facts.attributes.destination.address.socketAddress,
        facts.http.destination_class,
        facts.attributes.request.http.host,
      ];
    };
    expect(where('https://x.test/')).toEqual([{ address: '', portValue: 443 }, 'public', 'x.test']);
    expect(where('https://x.test:6443/', { 'x.test:6443': '127.0.0.1:16443' })).toEqual([
      { address: '127.0.0.1', portValue: 16443 },
      'loopback',
      'x.test:6443',
    ]);
    expect(where('http://0xa9fea9fe/')).toEqual([
      { address: '169.254.169.254', portValue: 80 },
      'metadata',
      '169.254.169.254',
    ]);
    expect(where('http://metadata.google.internal/')).toEqual([
      { address: '', portValue: 80 },
      'metadata',
      'metadata.google.internal',
    ]);
  });
});

describe('GraphQL documents', () => {
  it.each([
    ['{a}', [['query', null, ['a']]]],
    [
      'query Q($x: [Int!]! = [1], $y: I = {a: "}"}) @d(x: {y: 1}) { x: a(b: {c: "}"}) { d } e }',
      [['query', 'Q', ['a', 'e']]],
    ],
    ['mutation { a: deleteThing b: deleteThing }', [['mutation', null, ['deleteThing']]]],
    [
      'query { ...F ... on Query { b } ... @include(if: true) { c } } fragment F on Query { a ...G } fragment G on Query { g }',
      [['query', null, ['a', 'g', 'b', 'c']]],
    ],
    ['# {\n"""\n}\n""" query { a }', null],
    [
      'subscription S { s } query { q }',
      [
        ['subscription', 'S', ['s']],
        ['query', null, ['q']],
      ],
    ],
    ['query { a(x: """ " } \\""" """) }', [['query', null, ['a']]]],
    ['{ ...Missing }', null],
    ['{ ...A } fragment A on Q { ...A }', null],
    ['{ a', null],
    ['{ a(b: 1 }', null],
    ['type X { a: Int }', null],
    ['{ a ; b }', null],
  ])('%s', (text, expected) => {
    expect(readGraphql(text)?.map(({ type, name, fields }) => [type, name, fields]) ?? null).toEqual(
      expected,
    );
  });

  it('never throws, and never hangs', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '(',
      ')',
      '...',
      'on',
      'query',
      'mutation',
      'fragment',
      'a',
      '"x"',
      '"""',
      '@',
      ':',
      '#\n',
      '$',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => void readGraphql(tokens.join(' '))),
    );
    expect(readGraphql('{a'.repeat(50_000))).toBeNull();
    expect(readGraphql('"""'.repeat(50_000))).toBeNull();
  });
});
