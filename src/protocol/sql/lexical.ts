/**
 * Owns what can be seen in SQL text before it is parsed: how deep its comments nest, and names and characters that
 * do not mean what they look like. One pass, linear in the text, after the server's own scanner (scan.l) with
 * standard_conforming_strings on. Must never judge what a statement does.
 */

export interface LexicalFacts {
  /** Deepest nesting of block comments; 0 for none. */
  readonly commentDepth: number;
  readonly flags: readonly string[];
}

/** Octets of an identifier that PostgreSQL keeps (NAMEDATALEN - 1): the rest is silently cut off. */
const NAME_OCTETS = 63;

const QUOTE = 0x27;
const DOUBLE_QUOTE = 0x22;
const DOLLAR = 0x24;
const BACKSLASH = 0x5c;
const DASH = 0x2d;
const SLASH = 0x2f;
const STAR = 0x2a;

export function readLexically(text: string): LexicalFacts {
  const flags = new Set<string>();
  if (text.includes('\0')) flags.add('nul_byte');
  if (text.includes('\ufffd')) flags.add('possible_lossy_decode');
  let commentDepth = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at + 1, false);
    } else if (code === DOUBLE_QUOTE) {
      at = quotedName(text, at + 1, false, flags);
    } else if (code === DASH && text.charCodeAt(at + 1) === DASH) {
      at = endOfLine(text, at);
    } else if (code === SLASH && text.charCodeAt(at + 1) === STAR) {
      const comment = blockComment(text, at + 2);
      commentDepth = Math.max(commentDepth, comment.depth);
      at = comment.end;
    } else if (code === DOLLAR) {
      at = endOfDollarQuote(text, at);
    } else if (isDigit(code)) {
      at = endOfNumber(text, at);
    } else if (startsName(code)) {
      at = nameOrPrefix(text, at, flags);
    } else {
      at += 1;
    }
  }
  return { commentDepth, flags: [...flags] };
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
/** The scanner takes every octet from 0x80 for a letter, so every character outside ASCII. */
const startsName = (code: number): boolean => isLetter(code) || code === 0x5f || code >= 0x80;
const continuesName = (code: number): boolean => startsName(code) || isDigit(code) || code === DOLLAR;

/** White space, invisible and control characters that look like a gap and are letters to the scanner. */
const DECEPTIVE = /[\p{Z}\p{Cf}\p{Cc}]/u;

function nameOrPrefix(text: string, start: number, flags: Set<string>): number {
  let end = start + 1;
  while (end < text.length && continuesName(text.charCodeAt(end))) end += 1;
  const length = end - start;
  const first = text.charCodeAt(start) | 0x20;
  const next = text.charCodeAt(end);
  if (length === 1 && next === QUOTE) {
    if (first === 0x65) return endOfString(text, end + 1, true); // E'…'
    if (first === 0x62 || first === 0x78 || first === 0x6e) return endOfString(text, end + 1, false); // B X N
  }
  if (length === 1 && first === 0x75 && next === 0x26) {
    const quote = text.charCodeAt(end + 1);
    if (quote === QUOTE) return endOfString(text, end + 2, false); // U&'…'
    if (quote === DOUBLE_QUOTE) return quotedName(text, end + 2, true, flags); // U&"…"
  }
  const name = text.slice(start, end);
  checkLength(name, flags);
  if (DECEPTIVE.test(name)) flags.add('parse_error_or_ident');
  return end;
}

function checkLength(name: string, flags: Set<string>): void {
  if (name.length * 3 > NAME_OCTETS && Buffer.byteLength(name) > NAME_OCTETS) flags.add('ident_truncated');
}

function quotedName(text: string, start: number, unicode: boolean, flags: Set<string>): number {
  let at = start;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return text.length;
    if (text.charCodeAt(quote + 1) !== DOUBLE_QUOTE) {
      const raw = text.slice(start, quote).replaceAll('""', '"');
      // A default escape stands for one character; an own UESCAPE only makes the name look longer than it is.
      checkLength(unicode ? raw.replace(/\\(?:\+[\da-f]{6}|[\da-f]{4})/gi, 'x') : raw, flags);
      return quote + 1;
    }
    at = quote + 2;
  }
}

/** From after the opening quote to after the end, across the parts of a continued literal. */
function endOfString(text: string, start: number, escapes: boolean): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (escapes && code === BACKSLASH) {
      at += 2;
    } else if (code !== QUOTE) {
      at += 1;
    } else if (text.charCodeAt(at + 1) === QUOTE) {
      at += 2;
    } else {
      const next = continuation(text, at + 1);
      if (next === -1) return at + 1;
      at = next;
    }
  }
  return text.length;
}

/** Where a literal goes on that is continued on a later line (manual 4.1.2.1), or -1. */
function continuation(text: string, start: number): number {
  let at = start;
  let newline = false;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || code === 0x0d) newline = true;
    if (code === 0x20 || (code >= 0x09 && code <= 0x0d)) at += 1;
    else if (code === DASH && text.charCodeAt(at + 1) === DASH) at = endOfLine(text, at);
    else return newline && code === QUOTE ? at + 1 : -1;
  }
}

function endOfLine(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) !== 0x0a && text.charCodeAt(at) !== 0x0d) at += 1;
  return at;
}

function blockComment(text: string, start: number): { end: number; depth: number } {
  let depth = 1;
  let deepest = 1;
  let at = start;
  while (at < text.length && depth > 0) {
    const code = text.charCodeAt(at);
    const next = text.charCodeAt(at + 1);
    if (code === SLASH && next === STAR) {
      depth += 1;
      deepest = Math.max(deepest, depth);
      at += 2;
    } else if (code === STAR && next === SLASH) {
      depth -= 1;
      at += 2;
    } else {
      at += 1;
    }
  }
  return { end: at, depth: deepest };
}

function endOfDollarQuote(text: string, start: number): number {
  let end = start + 1;
  if (isDigit(text.charCodeAt(end))) return end; // $1
  while (end < text.length && continuesName(text.charCodeAt(end)) && text.charCodeAt(end) !== DOLLAR)
    end += 1;
  if (text.charCodeAt(end) !== DOLLAR) return end;
  const delimiter = text.slice(start, end + 1);
  const close = text.indexOf(delimiter, end + 1);
  return close === -1 ? text.length : close + delimiter.length;
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && (isDigit(text.charCodeAt(end)) || isLetter(text.charCodeAt(end)))) end += 1;
  return end;
}
