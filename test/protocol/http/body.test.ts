import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../../src/core/facts.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { readBody, sha256Of } from '../../../src/protocol/http/body.ts';
import { readJson } from '../../../src/protocol/http/json.ts';

const MAX = 64 * 1024;
const read = (body: string | Buffer, type?: string, encoding?: string) =>
  readBody(
    { kind: 'whole', octets: Buffer.from(body) },
    [
      ...(type === undefined ? [] : ['Content-Type', type]),
      ...(encoding === undefined ? [] : ['Content-Encoding', encoding]),
    ],
    MAX,
  );

describe('JSON', () => {
  it('agrees with JSON.parse on what JSON is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        expect(readJson(text)).toEqual({ value: JSON.parse(text) as Json, duplicateKeys: false });
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(readJson(text) !== null).toBe(isJson);
      }),
    );
  });

  it.each([
    ['{"a":1,"a":2}', true],
    ['{"a":1,"\\u0061":2}', true],
    ['{"x":{"a":1,"b":{"c":1,"c":2}}}', true],
    ['[{"a":1},{"a":2}]', false],
    ['{"a":{"a":{"a":1}}}', false],
    ['{"a":"a","b":["a","a",{"a":"a"}],"c":1}', false],
    ['{"a":"\\",\\"a\\":","b":1}', false],
    ['{"a":[1,2],"a":1}', true],
    ['{"a":{},"a":1}', true],
    ['{"__proto__":1,"b":2,"__proto__":3}', true],
  ])('sees whether a key is doubled in %s', (text, doubled) =>
    expect(readJson(text)?.duplicateKeys).toBe(doubled),
  );

  it('bounds the depth', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(readJson(nested(LIMITS.jsonDepth))).not.toBeNull();
    expect(readJson(nested(LIMITS.jsonDepth + 1))).toBeNull();
  });

  it('does not take a number that no double holds', () => {
    expect(readJson('{"a":1e400}')).toBeNull();
    expect(readJson('[-1E+999]')).toBeNull();
    expect(readJson(`[${'9'.repeat(400)}]`)).toBeNull();
    expect(readJson('{"true":true,"e":false,"n":1e3,"s":"1e400"}')).not.toBeNull();
  });
});

describe('bodies', () => {
  it('reads JSON under its names', () => {
    for (const type of [
      'application/json',
      'Application/JSON; charset=utf-8',
      'application/merge-patch+json',
      'application/x-amz-json-1.1',
    ]) {
      expect(read('{"a":1}', type)).toMatchObject({
        parsed: { a: 1 },
        truncated: false,
        ambiguous: false,
        size: 7,
      });
    }
    expect(read('{"a":1,"a":2}', 'application/json')).toMatchObject({ ambiguous: true });
  });

  it('reads JSON that goes by no name or another', () => {
    for (const type of [
      undefined,
      'text/plain',
      'application/octet-stream',
      'application/apply-patch+yaml',
    ]) {
      expect(read(' {"a":1}', type)).toMatchObject({ parsed: { a: 1 }, truncated: false });
    }
  });

  it('calls unknown what it cannot read', () => {
    expect(read('{"a":', 'application/json')).toMatchObject({ parsed: null, truncated: true });
    expect(read(Buffer.from([0x7b, 0xff, 0x7d]), 'application/json')).toMatchObject({
      parsed: null,
      truncated: true,
      text: null,
    });
    expect(read('{}', 'application/json; charset=utf-16')).toMatchObject({ parsed: null, truncated: true });
    expect(read('x', 'application/json', 'zstd')).toMatchObject({ parsed: null, truncated: true });
    expect(read('not gzip', 'application/json', 'gzip')).toMatchObject({ parsed: null, truncated: true });
    expect(read('x', 'multipart/form-data')).toMatchObject({ parsed: null, truncated: true });
  });

  it('knows that other media have no fields', () => {
    expect(read('hello', 'text/plain')).toMatchObject({ parsed: null, truncated: false, text: 'hello' });
    expect(read('')).toMatchObject({
      parsed: null,
      truncated: false,
      size: 0,
      sha256: sha256Of(Buffer.alloc(0)),
    });
  });

  it('reads forms', () => {
    expect(read('a=1&a=2&b=%C3%A9+c', 'application/x-www-form-urlencoded')).toMatchObject({
      parsed: { a: ['1', '2'], b: ['é c'] },
    });
    expect(read('a=%ff', 'application/x-www-form-urlencoded')).toMatchObject({ ambiguous: true });
  });

  it('undoes codings, in order, and digests what was sent', () => {
    const json = Buffer.from('{"a":1}');
    const cases: [Buffer, string][] = [
      [gzipSync(json), 'gzip'],
      [deflateSync(json), 'deflate'],
      [deflateRawSync(json), 'deflate'],
      [brotliCompressSync(json), 'br'],
      [gzipSync(brotliCompressSync(json)), 'br, gzip'],
      [json, 'identity'],
    ];
    for (const [octets, coding] of cases) {
      expect(read(octets, 'application/json', coding), coding).toMatchObject({
        parsed: { a: 1 },
        sha256: sha256Of(octets),
        size: octets.length,
      });
    }
  });

  it('does not inflate past its bound', () => {
    const bomb = (octets: number) => gzipSync(JSON.stringify('a'.repeat(octets - 2)));
    expect(read(bomb(MAX), 'application/json', 'gzip').truncated).toBe(false);
    expect(read(bomb(MAX + 1), 'application/json', 'gzip').truncated).toBe(true);
    expect(read(brotliCompressSync(Buffer.alloc(2 * 1024 * 1024)), 'application/json', 'br').truncated).toBe(
      true,
    );
  });

  it('reads multipart fields, and names of files but not what is in them', () => {
    const part = (head: string, body: string) =>
      `--B\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
    const body = `${part('name="a"', '1')}${part('name="f"; filename="x.bin"', '\x00--B')}${part('name="a"', 'zwei')}--B--\r\n`;
    expect(read(body, 'multipart/form-data; boundary=B')).toMatchObject({
      parsed: { a: ['1', 'zwei'], f: ['file:x.bin'] },
      truncated: false,
    });
    expect(read(body, 'multipart/form-data; boundary="B"').parsed).not.toBeNull();
    expect(read(body.slice(0, -6), 'multipart/form-data; boundary=B')).toMatchObject({
      parsed: null,
      truncated: true,
    });
    const many = (count: number) => `${part('name="a"', '1').repeat(count)}--B--\r\n`;
    expect(read(many(LIMITS.multipartParts), 'multipart/form-data; boundary=B').truncated).toBe(false);
    expect(read(many(LIMITS.multipartParts + 1), 'multipart/form-data; boundary=B').truncated).toBe(true);
  });

  it('knows nothing of a body that is still arriving, but its beginning', () => {
    expect(readBody({ kind: 'streamed', size: -1 }, ['Content-Type', 'application/json'], MAX)).toEqual({
      size: -1,
      sha256: null,
      parsed: null,
      truncated: true,
      text: null,
      ambiguous: false,
    });
  });
});
