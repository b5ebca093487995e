import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { showBlock, showLine, spellOut } from '../../src/approval/card-text.ts';

const plain = (text: string) => ({ head: text, tail: '', missing: 0, total: [...text].length, spelt: 0 });

describe('what cannot be seen', () => {
  it.each([
    ['right-to-left override', '\u202e'],
    ['right-to-left embedding', '\u202b'],
    ['pop directional formatting', '\u202c'],
    ['first strong isolate', '\u2068'],
    ['right-to-left mark', '\u200f'],
    ['left-to-right mark', '\u200e'],
    ['Arabic letter mark', '\u061c'],
    ['zero width space', '\u200b'],
    ['zero width joiner', '\u200d'],
    ['word joiner', '\u2060'],
    ['byte order mark', '\ufeff'],
    ['soft hyphen', '\u00ad'],
    ['Hangul filler', '\u3164'],
    ['combining grapheme joiner', '\u034f'],
    ['variation selector', '\ufe0f'],
    ['tag', '\u{e0041}'],
    ['no-break space', '\u00a0'],
    ['ideographic space', '\u3000'],
    ['blank Braille cell', '\u2800'],
    ['line separator', '\u2028'],
    ['next line', '\u0085'],
    ['NUL', '\0'],
    ['backspace', '\b'],
    ['escape', '\u001b'],
    ['carriage return', '\r'],
    ['delete', '\u007f'],
    ['private use', '\ue000'],
    ['lone surrogate', '\ud800'],
  ])('%s is spelt out in a block and in a line', (_name, character) => {
    const spelt = spellOut(character);
    expect(spelt).toMatch(/^⟦U\+[0-9A-F]{4,6}⟧$/);
    expect(showBlock(`a${character}b`, 100)).toMatchObject({
      head: `a${spelt}b`,
      missing: 0,
      spelt: 1,
      total: 3,
    });
    expect(showLine(`a${character}b`, 100)).toBe(`a${spelt}b`);
  });

  it('leaves text in any script as it is', () => {
    for (const text of ['SELECT 1;', 'größe = «x»', '価格 > 10', 'שלום', '🦀', 'a\u0301'])
      expect(showBlock(text, 100)).toEqual(plain(text));
  });

  it('keeps line breaks and tabs in a block, and spells them out in a line', () => {
    expect(showBlock('a\n\tb\r\nc', 100).head).toBe('a\n\tb\nc');
    expect(showLine('a\n\tb', 100)).toBe('a⟦U+000A⟧⟦U+0009⟧b');
  });

  it('property: nothing unseen is left, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.integer({ min: 0, max: 80 }),
        (text, room) => {
          const { head, tail } = showBlock(text, room);
          expect(head + tail + showLine(text, room)).not.toMatch(/[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
          expect((head + tail).replace(/[\n\t]/g, '')).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });
});

describe('what does not fit', () => {
  it('shows all of a text that just fits, and cuts one that is a character longer', () => {
    expect(showBlock('x'.repeat(100), 100)).toEqual(plain('x'.repeat(100)));
    expect(showBlock('x'.repeat(101), 100)).toMatchObject({ missing: 1, total: 101 });
  });

  it('cuts in the middle: what padding pushes to the end is seen', () => {
    const text = `SELECT 1; ${' '.repeat(10_000)}; DELETE FROM customers`;
    const { head, tail, missing } = showBlock(text, 400);
    expect(head).toMatch(/^SELECT 1;/);
    expect(tail).toMatch(/; DELETE FROM customers$/);
    expect(missing).toBe(text.length - 400);
  });

  it('counts characters, not code units, and never splits one', () => {
    const crabs = '🦀'.repeat(50);
    const shown = showBlock(crabs, 41);
    expect(shown).toMatchObject({ total: 50, missing: 50 - [...shown.head].length - [...shown.tail].length });
    expect(shown.head + shown.tail).toMatch(/^🦀+$/u);
  });

  it('says how much of a line is missing', () => {
    expect(showLine('x'.repeat(10), 10)).toBe('x'.repeat(10));
    expect(showLine('x'.repeat(12), 10)).toBe(`${'x'.repeat(10)}… (and 2 characters)`);
  });

  it('property: what is shown and what is missing is all of it, in as much room as there is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.integer({ min: 8, max: 120 }),
        (text, room) => {
          const lines = text.replaceAll('\r\n', '\n');
          const { head, tail, missing, total } = showBlock(lines, room);
          expect(head.length + tail.length).toBeLessThanOrEqual(room);
          expect(total).toBe([...lines].length);
          if (missing === 0) expect(tail).toBe('');
          if (!/⟦/.test(head + tail)) expect([...head].length + [...tail].length + missing).toBe(total);
        },
      ),
    );
  });

  it('takes the room that a door’s escaping needs', () => {
    const weigh = (shown: string) => (shown === '&' ? 5 : shown.length);
    expect(showBlock('&'.repeat(20), 100, weigh).missing).toBe(0);
    expect(showBlock('&'.repeat(21), 100, weigh).missing).toBe(1);
  });

  it('does not take long over a body of megabytes', () => {
    const start = performance.now();
    expect(showBlock('x'.repeat(8 * 1024 * 1024), 2_600).missing).toBe(8 * 1024 * 1024 - 2_600);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
