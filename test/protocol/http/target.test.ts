import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../../src/core/errors.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { pathTemplate } from '../../../src/protocol/http/digest.ts';
import { parseHost } from '../../../src/protocol/http/host.ts';
import { readForm, readPath } from '../../../src/protocol/http/path.ts';
import { type Origin, parseConnectTarget, parseTarget } from '../../../src/protocol/http/target.ts';

const host = parseHost('a.test') ?? { name: '', address: null };
const tunnel: Origin = { scheme: 'https', authority: { host, port: 443 } };

describe('request targets', () => {
  it.each([
    ['http://a.test/x?y=z', ['a.test'], 'http', 'a.test', 80, '/x?y=z'],
    ['HTTP://A.test:80/', ['a.TEST'], 'http', 'a.test', 80, '/'],
    ['http://a.test', ['a.test:80'], 'http', 'a.test', 80, '/'],
    ['http://a.test?q', ['a.test'], 'http', 'a.test', 80, '/?q'],
    ['https://a.test/', ['a.test'], 'https', 'a.test', 443, '/'],
    ['http://[::1]:8080/', ['[0::1]:8080'], 'http', '[::1]', 8080, '/'],
    ['http://0x7f.1/', ['127.0.0.1'], 'http', '127.0.0.1', 80, '/'],
  ])('reads %s sent to the proxy', (target, hosts, scheme, name, port, path) => {
    expect(parseTarget(target, hosts, 'HTTP/1.1', null)).toMatchObject({
      scheme,
      authority: { host: { name }, port },
      path,
    });
  });

  it.each([
    ['/x', ['a.test']],
    ['/x', ['A.TEST:443']],
    ['https://a.test/x', ['a.test']],
  ])('reads %s inside a tunnel', (target, hosts) => {
    expect(parseTarget(target, hosts, 'HTTP/1.1', tunnel)).toMatchObject({ scheme: 'https', path: '/x' });
  });

  it('does without Host in HTTP/1.0 only', () => {
    expect(parseTarget('/', [], 'HTTP/1.0', tunnel).authority.host.name).toBe('a.test');
    expect(() => parseTarget('/', [], 'HTTP/1.1', tunnel)).toThrow('missing');
  });

  it.each([
    ['/x', ['a.test'], null],
    ['*', ['a.test'], tunnel],
    ['a.test:443', ['a.test'], tunnel],
    ['/x', ['b.test'], tunnel],
    ['/x', ['a.test:80'], tunnel],
    ['/x', ['a.test', 'a.test'], tunnel],
    ['/x', [''], tunnel],
    ['/x y', ['a.test'], tunnel],
    ['/x\ty', ['a.test'], tunnel],
    ['/é', ['a.test'], tunnel],
    ['/x#y', ['a.test'], tunnel],
    ['http://a.test/', ['a.test'], tunnel],
    ['https://b.test/', ['a.test'], tunnel],
    ['http://a.test/', ['b.test'], null],
    ['http://u:p@a.test/', ['a.test'], null],
    ['http://a.test:0/', ['a.test:0'], null],
    ['http:///x', [''], null],
    ['http:a.test/', ['a.test'], null],
    ['//a.test/', ['a.test'], null],
    ['ws://a.test/', ['a.test'], null],
    ['http://a.test\\@b.test/', ['a.test'], null],
  ])('refuses %s with Host %j', (target, hosts, origin) => {
    expect(() => parseTarget(target, hosts, 'HTTP/1.1', origin)).toThrow(ProtocolError);
  });

  it('bounds its length', () => {
    const target = (length: number) => `/${'a'.repeat(length - 1)}`;
    expect(parseTarget(target(LIMITS.httpTarget), ['a.test'], 'HTTP/1.1', tunnel).path).toHaveLength(
      LIMITS.httpTarget,
    );
    expect(() => parseTarget(target(LIMITS.httpTarget + 1), ['a.test'], 'HTTP/1.1', tunnel)).toThrow(
      'longer',
    );
  });

  it('throws nothing but a ProtocolError, and sends on what it was given', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true, withFragments: true })),
        fc.string(),
        (target, name) => {
          try {
            const read = parseTarget(target, [name], 'HTTP/1.1', null);
            expect(target.endsWith(read.path) || read.path.startsWith('/')).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError);
          }
        },
      ),
    );
  });

  it.each(['a.test', 'a.test:', ':443', 'http://a.test:443', 'a.test:443/', '[::1]', 'a.test:443:1'])(
    'refuses CONNECT %s',
    (target) => {
      expect(() => parseConnectTarget(target)).toThrow(ProtocolError);
    },
  );
});

describe('paths', () => {
  it('shows raw segments, and decodes as opa-envoy-plugin does', () => {
    expect(readPath('/a%20b/c?x=1&x=2&y=%2B+z')).toEqual({
      segments: ['a%20b', 'c'],
      parsed: ['a b', 'c'],
      query: { x: ['1', '2'], y: ['+ z'] },
      ambiguous: false,
    });
    expect(readPath('/')).toMatchObject({ segments: [''], parsed: [''], ambiguous: false });
    expect(readPath('/a/')).toMatchObject({ segments: ['a', ''], parsed: ['a', ''], ambiguous: false });
    expect(readPath('/a%2Fb')).toMatchObject({ segments: ['a%2Fb'], parsed: ['a', 'b'], ambiguous: true });
  });

  it.each([
    '/a/%2e%2e/b',
    '/a/../b',
    '/a/./b',
    '/a/.%2E/b',
    '/a/..',
    '/a%2fb',
    '/a%5Cb',
    '/a\\b',
    '/a%252fb',
    '/a%2525',
    '/a;v=1/b',
    '/a%3Bv=1/b',
    '/a%00',
    '/a%0d%0a',
    '/a%7f',
    '/a%ff',
    '/a%c0%af',
    '/a%zz',
    '/a%',
    '//a',
    '/a//b',
    '/a?x=%ff',
    '/a?x=1;y=2',
  ])('finds %s ambiguous', (path) => expect(readPath(path).ambiguous).toBe(true));

  it.each([
    '/',
    '/a',
    '/a/',
    '/a.b/..c/d..',
    '/%C3%A9',
    '/a%20b',
    '/a+b',
    '/~x/(y)/z:w@v,u',
    '/a?b=c/../d&e=//f',
    '/?',
    '/%25',
  ])('finds %s plain', (path) => expect(readPath(path).ambiguous).toBe(false));

  it('keeps a parameter called __proto__ a parameter', () => {
    const { values } = readForm('__proto__=1&constructor=2');
    expect(Object.keys(values)).toEqual(['__proto__', 'constructor']);
  });

  it('reads back whatever URLSearchParams writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))),
        (fields) => {
          const named = fields.filter(([name, value]) => name !== '' || value === null);
          const { values, ambiguous } = readForm(new URLSearchParams(named).toString());
          expect(ambiguous).toBe(false);
          expect(Object.values(values).flat().toSorted()).toEqual(named.map(([, value]) => value).toSorted());
        },
      ),
    );
  });

  it.each([
    [['v1', 'users', '42'], '/v1/users/{}'],
    [['things', '3f2504e0-4f89-11d3-9a0c-0305e82c3301'], '/things/{}'],
    [['commits', '9f86d081884c7d65'], '/commits/{}'],
    [['files', 'file-AbC123dEf456GhI789jK'], '/files/{}'],
    [['deadbeef', 'facade'], '/deadbeef/facade'],
    [['api', 'v1', 'namespaces', 'prod'], '/api/v1/namespaces/prod'],
  ])('takes identifiers out of %j', (segments, template) => expect(pathTemplate(segments)).toBe(template));
});
