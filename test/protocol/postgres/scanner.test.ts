import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/core/limits.ts';
import { BackendScanner } from '../../../src/protocol/postgres/scanner.ts';
import { cutAt, int32, message } from './bytes.ts';

const letter = (type: number): string => String.fromCharCode(type);

describe('the scanner', () => {
  it('relays and tells the same however the stream is split', () => {
    const one = fc.oneof(
      fc.tuple(fc.constantFrom('D', 'd'), fc.string({ maxLength: 60 })),
      fc.tuple(fc.constantFrom('E', 'C', 'Z', 'S', 'R', 't'), fc.string()),
      fc.tuple(fc.constantFrom('1', '2', 'T', 'N', 'A', 'n'), fc.string()),
    );
    fc.assert(
      fc.property(fc.array(one), fc.array(fc.nat()), (messages, cuts) => {
        const encoded = messages.map(([type, body]) => message(type, body));
        const told: string[] = [];
        const scanner = new BackendScanner();
        const out = cutAt(Buffer.concat(encoded), cuts).flatMap((chunk) =>
          scanner.scan(chunk, (type, body) => {
            told.push(`${letter(type)}${body === null ? '' : body.toString()}`);
            return type === 'E'.charCodeAt(0) ? Buffer.from('<error>') : null;
          }),
        );
        const expected = messages.map(([type], index) =>
          type === 'E' ? Buffer.from('<error>') : encoded[index],
        );
        expect(Buffer.concat(out)).toEqual(Buffer.concat(expected as Buffer[]));
        expect(told).toEqual(
          messages
            .filter(([type]) => !'Dd'.includes(type))
            .map(([type, body]) => (/[12TNAn]/.test(type) ? type : `${type}${body}`)),
        );
        expect(scanner.takeCounts().rows).toBe(messages.filter(([type]) => type === 'D').length);
        expect(scanner.atBoundary).toBe(true);
      }),
    );
  });

  it('relays a chunk whole when nothing in it is replaced', () => {
    const chunk = Buffer.concat([
      message('T', 'x'),
      message('D', 'row'),
      message('D', 'row'),
      message('C', 'SELECT 2\0'),
      message('Z', 'I'),
    ]);
    const out = new BackendScanner().scan(chunk, () => null);
    expect(out).toHaveLength(1);
    expect(out[0]).toBe(chunk);
  });

  it('relays a long row as it comes, keeping none of it', () => {
    const scanner = new BackendScanner();
    const row = message('D', Buffer.alloc(1024 * 1024));
    for (let at = 0; at < row.length; at += 65_536) {
      const chunk = row.subarray(at, at + 65_536);
      expect(Buffer.concat(scanner.scan(chunk, () => null)).length).toBe(chunk.length);
    }
    expect(scanner.takeCounts()).toEqual({ rows: 1, octets: 1024 * 1024 });
    const head = row.subarray(0, 100);
    scanner.scan(head, () => null);
    expect(scanner.atBoundary).toBe(false);
  });

  it('stops where it is told to, with what came before', () => {
    const chunk = Buffer.concat([message('N', 'one'), message('S', 'two'), message('Z', 'I')]);
    const out = new BackendScanner().scan(chunk, (type) => (letter(type) === 'S' ? 'cut' : null));
    expect(Buffer.concat(out)).toEqual(message('N', 'one'));
  });

  it('lets an error over its bound go by unread, and takes no other', () => {
    const head = (type: string, length: number): Buffer => Buffer.concat([Buffer.from(type), int32(length)]);
    const bodies: (Buffer | null)[] = [];
    const scanner = new BackendScanner();
    scanner.scan(head('E', LIMITS.pgServerMessage), (_type, body) => {
      bodies.push(body);
      return null;
    });
    expect(bodies).toEqual([null]);
    expect(() => new BackendScanner().scan(head('C', LIMITS.pgServerMessage), () => null)).toThrow(/few/);
    expect(() => new BackendScanner().scan(head('C', LIMITS.pgServerMessage - 1), () => null)).not.toThrow();
  });

  it('refuses a length that cannot be', () => {
    expect(() => new BackendScanner().scan(Buffer.concat([Buffer.from('Z'), int32(3)]), () => null)).toThrow(
      /length 3/,
    );
  });
});
