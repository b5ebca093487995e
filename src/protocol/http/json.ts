/**
 * Owns JSON from strangers: RFC 8259 text to a value, within a depth, and whether a key occurs twice in one
 * object (parsers differ on which one counts). Must never guess at text that is not JSON.
 */

import type { Json } from '../../core/facts.ts';
import { LIMITS } from '../../core/limits.ts';

export interface JsonReading {
  readonly value: Json;
  readonly duplicateKeys: boolean;
}

/** Null when the text is not JSON, is nested deeper than LIMITS.jsonDepth, or has a number that no double holds. */
export function readJson(text: string): JsonReading | null {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return null;
  }
  const scan = scanKeys(text);
  return scan.tooDeep || scan.overflow ? null : { value, duplicateKeys: scan.duplicateKeys };
}

/** One pass over text that JSON.parse has accepted. */
function scanKeys(text: string): { duplicateKeys: boolean; tooDeep: boolean; overflow: boolean } {
  /** One entry for each open bracket: the keys so far of an object, null for an array. */
  const open: (Set<string> | null)[] = [];
  let expectsKey = false;
  let duplicateKeys = false;
  let overflow = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (expectsKey && keys) {
        // Compared as values: an escaped spelling of the same key is the same key.
        const key = JSON.parse(text.slice(at, end + 1)) as string;
        if (keys.has(key)) duplicateKeys = true;
        keys.add(key);
        expectsKey = false;
      }
      at = end;
    } else if (char === OPEN_OBJECT || char === OPEN_ARRAY) {
      open.push(char === OPEN_OBJECT ? new Set() : null);
      expectsKey = char === OPEN_OBJECT;
      if (open.length > LIMITS.jsonDepth) return { duplicateKeys, tooDeep: true, overflow };
    } else if (char === CLOSE_OBJECT || char === CLOSE_ARRAY) {
      open.pop();
      expectsKey = false;
    } else if (char === COMMA) {
      expectsKey = open.at(-1) != null;
    } else if (char === MINUS || (char >= ZERO && char <= NINE)) {
      const end = endOfNumber(text, at);
      if (!Number.isFinite(Number(text.slice(at, end)))) overflow = true;
      at = end - 1;
    }
  }
  return { duplicateKeys, tooDeep: false, overflow };
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at += 1) {
    const char = text.charCodeAt(at);
    if (char === QUOTE || Number.isNaN(char)) return at;
    if (char === 0x5c) at += 1;
  }
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && /[0-9.eE+-]/.test(text.charAt(at))) at += 1;
  return at;
}
