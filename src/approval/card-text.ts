/**
 * Owns how text that an agent had a hand in is shown to a reviewer: what cannot be seen is made visible, and what does
 * not fit is cut in the middle and counted. Must never know a door's markup, nor normalise what it shows.
 */

/**
 * What a reader would not see, or would see in another place or order: controls, format characters (bidirectional
 * overrides, zero-width ones, tags), default-ignorable ones, line and paragraph separators, spaces that are not the
 * space, the blank Braille cell, private and unassigned code points, lone surrogates. Unicode UAX #9, UTR #36.
 */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u00a0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]/u;

/** `⟦U+202E⟧` for U+202E: brackets that no statement or call needs, so that it reads as ours. */
export function spellOut(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `⟦U+${code.toString(16).toUpperCase().padStart(4, '0')}⟧`;
}

/** Line breaks and tabs stay in a block of text; a line has none. */
type Keep = ReadonlySet<string>;
const IN_BLOCK: Keep = new Set(['\n', '\t']);
const IN_LINE: Keep = new Set();

function show(character: string, keep: Keep): string {
  return !keep.has(character) && UNSEEN.test(character) ? spellOut(character) : character;
}

/** How much room a shown character takes: a door that has to escape it says so here. */
export type Weigh = (shown: string) => number;

const asItIs: Weigh = (shown) => shown.length;

export interface ShownText {
  /** From the start; all of it where `missing` is 0. */
  readonly head: string;
  /** Up to the end; empty where `missing` is 0. */
  readonly tail: string;
  /** Characters (code points) between the two that are not shown. */
  readonly missing: number;
  /** Characters in all. */
  readonly total: number;
  /** Characters shown spelt out. */
  readonly spelt: number;
}

/**
 * A block of text in at most `room` characters, as `weigh` counts them. A quarter of them goes to the end when the middle must be cut: padding
 * in front of what matters is the cheapest way to hide it.
 */
export function showBlock(text: string, room: number, weigh = asItIs): ShownText {
  const lines = text.replaceAll('\r\n', '\n');
  const total = lengthOf(lines);
  const whole = take(lines, room, 'head', weigh);
  if (whole.used === lines.length)
    return { head: whole.text, tail: '', missing: 0, total, spelt: whole.spelt };
  const tailRoom = Math.floor(room / 4);
  const head = take(lines, room - tailRoom, 'head', weigh);
  const tail = take(lines.slice(head.used), tailRoom, 'tail', weigh);
  const missing = total - head.count - tail.count;
  return { head: head.text, tail: tail.text, missing, total, spelt: head.spelt + tail.spelt };
}

/** `1 character`, `1,234 characters`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** One line in at most about `room` characters, which says how many more there are. */
export function showLine(text: string, room: number, weigh = asItIs): string {
  const taken = take(text, room, 'head', weigh, IN_LINE);
  const missing = lengthOf(text) - taken.count;
  return missing === 0 ? taken.text : `${taken.text}… (and ${counted(missing, 'character')})`;
}

function take(text: string, room: number, end: 'head' | 'tail', weigh: Weigh, keep: Keep = IN_BLOCK) {
  const shown: string[] = [];
  let used = 0;
  let weight = 0;
  let spelt = 0;
  while (used < text.length) {
    const character =
      end === 'head' ? String.fromCodePoint(text.codePointAt(used) ?? 0) : lastOf(text, text.length - used);
    const piece = show(character, keep);
    weight += weigh(piece);
    if (weight > room) break;
    if (piece !== character) spelt += 1;
    shown.push(piece);
    used += character.length;
  }
  if (end === 'tail') shown.reverse();
  return { text: shown.join(''), used, count: shown.length, spelt };
}

/** The character that ends right before `end`. */
function lastOf(text: string, end: number): string {
  const pair = end >= 2 ? text.codePointAt(end - 2) : undefined;
  return pair !== undefined && pair > 0xffff ? text.slice(end - 2, end) : text.slice(end - 1, end);
}

/** Code points, without an array of them: a held body can be large. */
function lengthOf(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    if ((text.codePointAt(index) ?? 0) > 0xffff) index += 1;
    count += 1;
  }
  return count;
}
