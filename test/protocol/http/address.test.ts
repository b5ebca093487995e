import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify, embeddedIpv4, parseAddress } from '../../../src/protocol/http/address.ts';
import { classOfHost, matchesHost, parseAuthority, parseHost } from '../../../src/protocol/http/host.ts';

const octet = fc.integer({ min: 0, max: 255 });
const quad = fc.tuple(octet, octet, octet, octet);

/** Every way inet_aton(3) takes one number. */
const spellings = [
  (value: number) => String(value),
  (value: number) => `0x${value.toString(16)}`,
  (value: number) => `0X${value.toString(16).toUpperCase()}`,
  (value: number) => `0${value.toString(8)}`,
  (value: number) => `000${value.toString(8)}`,
];
const spelling = fc.constantFrom(...spellings);

describe('addresses', () => {
  it('reads every spelling of an IPv4 address as the same address', () => {
    fc.assert(
      fc.property(
        quad,
        fc.tuple(spelling, spelling, spelling, spelling),
        fc.integer({ min: 1, max: 4 }),
        (parts, how, count) => {
          const [a, b, c, d] = parts;
          const whole = [a, b, c, d].reduce((sum, part) => sum * 256 + part, 0);
          const leading = parts.slice(0, count - 1);
          const rest = whole % 256 ** (5 - count);
          const text = [...leading, rest].map((value, index) => (how[index] ?? String)(value)).join('.');
          expect(parseAddress(text)?.text).toBe(parts.join('.'));
        },
      ),
    );
  });

  it('unwraps an IPv4-mapped address, and finds the one inside the others', () => {
    fc.assert(
      fc.property(quad, (parts) => {
        const text = parts.join('.');
        const hex = (from: number) => (((parts[from] ?? 0) << 8) | (parts[from + 1] ?? 0)).toString(16);
        expect(parseAddress(`::ffff:${text}`)).toEqual({ text, family: 4 });
        expect(parseAddress(`::ffff:${hex(0)}:${hex(2)}`)).toEqual({ text, family: 4 });
        for (const carrier of [`64:ff9b::${text}`, `64:ff9b:1::${text}`, `2002:${hex(0)}:${hex(2)}::1`]) {
          const address = parseAddress(carrier);
          expect(address && embeddedIpv4(address)?.text).toBe(text);
        }
        const inverted = parts.map((part) => part ^ 0xff).join('.');
        const teredo = parseAddress(`2001:0:1:2:3:4:${inverted}`);
        expect(teredo && embeddedIpv4(teredo)?.text).toBe(text);
      }),
    );
  });

  it('is idempotent: what it gives, it reads as itself', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended()), (text) => {
        const address = parseAddress(text);
        expect(address).not.toBeNull();
        expect(address && parseAddress(address.text)).toEqual(address);
      }),
    );
  });

  it.each([
    '',
    '.',
    '1.',
    '1..2',
    '256.0.0.1',
    '1.2.3.256',
    '1.2.3.4.5',
    '4294967296',
    '08',
    '0x',
    '1.0xg',
    '-1',
    '1e3',
    ' 1',
    '::1%lo',
    ':::',
    '1:2',
  ])('does not take %j for an address', (text) => expect(parseAddress(text)).toBeNull());

  it.each([
    ['8.8.8.8', 'public'],
    ['172.15.255.255', 'public'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.0', 'public'],
    ['10.0.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.127.255.255', 'private'],
    ['100.128.0.0', 'public'],
    ['224.0.0.1', 'private'],
    ['255.255.255.255', 'private'],
    ['127.0.0.1', 'loopback'],
    ['0.0.0.0', 'loopback'],
    ['0.1.2.3', 'loopback'],
    ['169.254.1.1', 'link_local'],
    ['169.254.169.254', 'metadata'],
    ['169.254.170.2', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['0xa9fea9fe', 'metadata'],
    ['2852039166', 'metadata'],
    ['::ffff:169.254.169.254', 'metadata'],
    ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['2002:a9fe:a9fe::', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['fd00:0ec2:0:0:0:0:0:0254', 'metadata'],
    ['::', 'loopback'],
    ['::1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['fe80::1', 'link_local'],
    ['fd12::1', 'private'],
    ['ff02::1', 'private'],
    ['2606:4700::1', 'public'],
    ['64:ff9b::808:808', 'public'],
    ['2002:7f00:1::', 'loopback'],
    ['2001:0:1:2:3:4:80ff:fffe', 'loopback'],
    ['2001:0:1:2:3:4:f5ff:fffe', 'private'],
  ])('classes %s as %s', (text, kind) => {
    const address = parseAddress(text);
    expect(address && classify(address)).toBe(kind);
  });
});

describe('hosts', () => {
  it.each([
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['_dmarc.a_b.test', '_dmarc.a_b.test'],
    ['0x7f.1', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[0:0::0:1]', '[::1]'],
    ['[::ffff:10.0.0.1]', '10.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['3com.test', '3com.test'],
    ['a.0xbeef.test', 'a.0xbeef.test'],
  ])('reads %s as %s', (text, name) => expect(parseHost(text)?.name).toBe(name));

  it.each([
    '',
    '.',
    'a..b',
    '-a',
    'a-',
    'a b',
    'a%2eb',
    'bücher.example',
    '１２７.0.0.1',
    'a@b',
    'a/b',
    'a:1',
    '::1',
    '[::1',
    '[1.2.3.4]',
    '08.1',
    'a.1',
    'a.0x1',
    `${'a'.repeat(64)}.test`,
    `${'a.'.repeat(127)}test`,
  ])('does not take %j for a host', (text) => expect(parseHost(text)).toBeNull());

  it('gives a canonical name that it reads as itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.domain(),
          fc.ipV4Extended(),
          fc.ipV6().map((text) => `[${text}]`),
        ),
        (text) => {
          const host = parseHost(text);
          expect(host && parseHost(host.name)).toEqual(host);
        },
      ),
    );
  });

  it.each([
    ['a.test:80', 'a.test', 80],
    ['[::1]:443', '[::1]', 443],
    ['A.Test', 'a.test', 8080],
  ])('reads the authority %s', (text, name, port) => {
    expect(parseAuthority(text, 8080)).toMatchObject({ host: { name }, port });
  });

  it.each([
    'a.test:',
    'a.test:0',
    'a.test:65536',
    'a.test:+80',
    'a.test:80:80',
    'a.test:080000',
    '::1:80',
    'u@a.test',
    ':80',
    '',
  ])('does not take %j for an authority', (text) => expect(parseAuthority(text, 80)).toBeNull());

  it('knows what a name means before it is resolved', () => {
    const classOf = (text: string) => {
      const host = parseHost(text);
      return host && classOfHost(host);
    };
    expect(classOf('metadata.google.internal.')).toBe('metadata');
    expect(classOf('LOCALHOST')).toBe('loopback');
    expect(classOf('a.localhost')).toBe('loopback');
    expect(classOf('notlocalhost')).toBeNull();
    expect(classOf('0x7f000001')).toBe('loopback');
  });

  it('matches globs by whole labels', () => {
    const matches = (name: string, ...globs: string[]) =>
      matchesHost(parseHost(name) ?? { name: '', address: null }, globs);
    expect(matches('a.example.test', '*.example.test')).toBe(true);
    expect(matches('a.b.example.test', '*.Example.test.')).toBe(true);
    expect(matches('example.test', '*.example.test')).toBe(false);
    expect(matches('badexample.test', '*.example.test')).toBe(false);
    expect(matches('example.test', 'example.test')).toBe(true);
    expect(matches('127.0.0.1', '0x7f.1')).toBe(true);
    expect(matches('anything', '*')).toBe(true);
    expect(matches('anything')).toBe(false);
  });
});
