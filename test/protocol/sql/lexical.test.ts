import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLexically } from '../../../src/protocol/sql/lexical.ts';

const depth = (text: string): number => readLexically(text).commentDepth;
const flags = (text: string): readonly string[] => readLexically(text).flags;

describe('the depth of comments', () => {
  it.each([
    ['', 0],
    ['SELECT 1 -- /* /*', 0],
    ['/**/', 1],
    ['/* /* */ */ /* */', 2],
    ['/* /* /* unclosed', 3],
    ['/*/*', 2],
    ['/*/ */', 1],
    ["SELECT '/* /* */'", 0],
    ["SELECT 'it''s /* /*' /* */", 1],
    [String.raw`SELECT E'\' /* /*' /**/`, 1],
    [String.raw`SELECT '\' /* /* */ */`, 2],
    ["SELECT e'a' \n '\\'/*/*'", 0],
    [String.raw`SELECT E'a' '\'/*/*`, 2],
    ["SELECT E'a' -- x\n'\\'/*/*'", 0],
    ['SELECT "/* /*" /**/', 1],
    ['SELECT "a""/*"', 0],
    ['SELECT $$ /* $$ /**/', 1],
    ['SELECT $a$ $$ /* /* $a$', 0],
    ['SELECT a$b$ /* /* $b$', 2],
    ['SELECT $1/*/**/*/', 2],
    ['SELECT U&"/*" /**/', 1],
    ["SELECT U&'/*', B'/*', x'/*', N'/*'", 0],
    ['SELECT 1*/*/**/*/2', 2],
    ['SELECT 1 -- x\r/* /* */ */', 2],
  ])('of %j is %i', (text, expected) => {
    expect(depth(text)).toBe(expected);
  });

  it('is that of nested comments, whatever stands between them', () => {
    const gap = fc.stringMatching(/^[a-z "$1;]*$/);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), gap, (levels, between) => {
        const open = `/*${between.replaceAll('"', '')}`.repeat(levels);
        expect(depth(`SELECT 1 ${open}${'*/'.repeat(levels)} SELECT '/*'`)).toBe(levels);
      }),
    );
  });

  it('is found in time linear in the text', () => {
    for (const hard of ["'", '"', '$a', '/*', '--', "E'\\", '$$', "'\n", 'a$', '*/']) {
      const text = hard.repeat(500_000);
      const start = performance.now();
      readLexically(text);
      expect(performance.now() - start).toBeLessThan(2_000);
    }
  });
});

describe('text that is not what it looks like', () => {
  it.each([
    ['SELECT 1\0', ['nul_byte']],
    ["SELECT '\ufffd'", ['possible_lossy_decode']],
    ['SELECT\u00a01', ['parse_error_or_ident']],
    ['SELECT * FROM users\u200b', ['parse_error_or_ident']],
    ['SELECT * FROM users\u3000u', ['parse_error_or_ident']],
    ['SELECT \'\u00a0\', "\u200b"', []],
    ['SELECT * FROM größe', []],
    [`SELECT ${'a'.repeat(63)}`, []],
    [`SELECT ${'a'.repeat(64)}`, ['ident_truncated']],
    [`SELECT "${'a'.repeat(63)}"`, []],
    [`SELECT "${'a'.repeat(62)}"""`, []],
    [`SELECT "${'a'.repeat(63)}"""`, ['ident_truncated']],
    [`SELECT ${'é'.repeat(31)}`, []],
    [`SELECT ${'é'.repeat(32)}`, ['ident_truncated']],
    [`SELECT U&"${'\\0061'.repeat(63)}"`, []],
    [`SELECT U&"${'\\0061'.repeat(64)}"`, ['ident_truncated']],
    [`SELECT '${'a'.repeat(100)}', $$${'b'.repeat(100)}$$`, []],
  ])('%j has the flags %j', (text, expected) => {
    expect(flags(text)).toEqual(expected);
  });

  it('is read to the end whatever it is', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => depth(text) >= 0));
  });
});
