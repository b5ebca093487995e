import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { FrontendFramer } from '../../../src/protocol/postgres/framer.ts';
import { cutAt, int32, message } from './bytes.ts';

const MIB = 1024 * 1024;
const whole = (octets: Buffer): string[] =>
  new FrontendFramer().push(octets).map(({ type, raw }) => `${String.fromCharCode(type)}${raw.length}`);

describe('the framer', () => {
  it('cuts a chunk into its messages without copying', () => {
    const chunk = Buffer.concat([message('Q', 'select 1\0'), message('S'), message('X')]);
    const frames = new FrontendFramer().push(chunk);
    expect(frames.map(({ raw }) => raw.toString())).toEqual([
      message('Q', 'select 1\0').toString(),
      message('S').toString(),
      message('X').toString(),
    ]);
    for (const { raw } of frames) expect(raw.buffer).toBe(chunk.buffer);
  });

  it('gives the same messages however the stream is split', () => {
    const one = fc.oneof(
      fc.tuple(fc.constantFrom('Q', 'P', 'B', 'S', 'c', 'p'), fc.string()),
      fc.tuple(fc.constant('d'), fc.string({ maxLength: 40 })),
    );
    fc.assert(
      fc.property(fc.array(one), fc.array(fc.nat()), (messages, cuts) => {
        const stream = Buffer.concat(messages.map(([type, body]) => message(type, body)));
        const framer = new FrontendFramer();
        const frames = cutAt(stream, cuts).flatMap((chunk) => framer.push(chunk));
        expect(Buffer.concat(frames.map(({ raw }) => raw))).toEqual(stream);
        // CopyData comes in runs and parts; everything else whole, each by itself.
        const types = frames.map(({ type }) => String.fromCharCode(type)).filter((type) => type !== 'd');
        expect(types).toEqual(messages.map(([type]) => type).filter((type) => type !== 'd'));
      }),
    );
  });

  it('passes COPY data on as it comes, and takes a run of it as one', () => {
    const framer = new FrontendFramer();
    const rows = Buffer.concat(Array.from({ length: 100 }, (_, row) => message('d', `${row}\n`)));
    expect(framer.push(rows)).toHaveLength(1);
    const long = message('d', Buffer.alloc(MIB));
    const parts = [long.subarray(0, 3), long.subarray(3, 1000), long.subarray(1000)];
    expect(parts.map((part) => framer.push(part).length)).toEqual([0, 2, 1]);
    expect(framer.push(message('c')).map(({ raw }) => raw.length)).toEqual([5]);
  });

  it('takes linear time for a message that comes octet by octet', () => {
    const long = message('Q', Buffer.alloc(MIB, 0x20));
    const framer = new FrontendFramer();
    const started = performance.now();
    let frames = 0;
    for (let at = 0; at < long.length; at += 1) frames += framer.push(long.subarray(at, at + 1)).length;
    expect(frames).toBe(1);
    // Copying all of it for each octet would take hours.
    expect(performance.now() - started).toBeLessThan(10_000);
  });

  it.each([
    ['Q', LIMITS.pgStatementMessage],
    ['P', LIMITS.pgStatementMessage],
    ['B', LIMITS.pgBindMessage],
    ['F', LIMITS.pgBindMessage],
    ['d', LIMITS.pgCopyData],
    ['p', LIMITS.pgAuthMessage],
    ['D', LIMITS.pgSmallMessage],
    ['E', LIMITS.pgSmallMessage],
    ['C', LIMITS.pgSmallMessage],
    ['S', LIMITS.pgSmallMessage],
    ['H', LIMITS.pgSmallMessage],
    ['X', LIMITS.pgSmallMessage],
    ['c', LIMITS.pgSmallMessage],
    ['f', LIMITS.pgSmallMessage],
  ])('takes a %s of %i octets and no more, by its head alone', (type, bound) => {
    const head = (length: number): Buffer => Buffer.concat([Buffer.from(type), int32(length + 4)]);
    expect(() => new FrontendFramer().push(head(bound))).not.toThrow();
    expect(() => new FrontendFramer().push(head(bound + 1))).toThrow(/the bound is/);
    const late = new FrontendFramer();
    late.push(head(bound + 1).subarray(0, 4));
    expect(() => late.push(head(bound + 1).subarray(4))).toThrow(/the bound is/);
  });

  it('refuses lengths that cannot be, and types that are none', () => {
    for (const length of [3, 0, -1, -2147483648])
      expect(() => whole(Buffer.concat([Buffer.from('Q'), int32(length)]))).toThrow(/has length/);
    for (const type of ['A', 'Z', '\0', '\xff', '1'])
      expect(() => whole(message(type))).toThrow(/unknown message type/);
  });
});
