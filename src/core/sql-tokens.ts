/**
 * Owns cutting SQL text into what PostgreSQL's lexer (documentation section 4.1) reads in it, with
 * standard_conforming_strings on. It is total: what is not closed goes to the end of the text. For what is shown and
 * kept; must never decide what a statement means.
 */

const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const NUMBER =
  /0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?/y;
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const PARAMETER = /\$\d+/y;
const LINE_COMMENT = /--[^\n\r]*/y;
const SPACE = /[ \t\n\r\f\v]+/y;
const PREFIX = /(?:[eEbBxXnN]|[uU]&)'/y;
export type TokenKind = 'space' | 'comment' | 'constant' | 'number' | 'name' | 'quoted' | 'mark';

/** What begins at `at`. */
export function kindAt(text: string, at: number): TokenKind {
  const char = text.charCodeAt(at);
  if (char === 0x20 || (char >= 0x09 && char <= 0x0d)) return 'space';
  if (char === 0x27) return 'constant';
  if (char === 0x22) return 'quoted';
  if (char >= 0x80 || char === 0x5f || (char >= 0x41 && char <= 0x5a) || (char >= 0x61 && char <= 0x7a))
    return matched(PREFIX, text, at) ? 'constant' : 'name';
  if (
    (char >= 0x30 && char <= 0x39) ||
    (char === 0x2e && !text.startsWith('..', at) && matched(NUMBER, text, at))
  )
    return 'number';
  if (char === 0x24 && matched(DOLLAR_TAG, text, at)) return 'constant';
  if (text.startsWith('--', at) || text.startsWith('/*', at)) return 'comment';
  return 'mark';
}

/** Where it ends; the end of the text for what is not closed. */
export function endOfToken(text: string, at: number, kind: TokenKind): number {
  switch (kind) {
    case 'space':
      return matched(SPACE, text, at);
    case 'comment':
      return matched(LINE_COMMENT, text, at) || endOfComment(text, at);
    case 'name':
      return unicodeQuoted(text, at) || matched(WORD, text, at);
    case 'quoted':
      return endOfQuoted(text, at + 1);
    case 'number':
      return matched(NUMBER, text, at);
    case 'constant':
      return endOfConstant(text, at);
    default:
      // PostgreSQL reads `..` as one token, so that no number begins with its second dot.
      return matched(PARAMETER, text, at) || at + (text.startsWith('..', at) ? 2 : 1);
  }
}

/** Where a match at exactly `at` ends; 0 when there is none. */
function matched(form: RegExp, text: string, at: number): number {
  form.lastIndex = at;
  return form.test(text) ? form.lastIndex : 0;
}

/** The end of `U&"…"`, an identifier. */
function unicodeQuoted(text: string, at: number): number {
  return text.startsWith('&"', at + 1) && /[uU]/.test(text.charAt(at)) ? endOfQuoted(text, at + 3) : 0;
}

function endOfConstant(text: string, at: number): number {
  const tag = matched(DOLLAR_TAG, text, at);
  if (tag) {
    const close = text.indexOf(text.slice(at, tag), tag);
    return close < 0 ? text.length : close + tag - at;
  }
  return endOfString(text, matched(PREFIX, text, at) || at + 1, /[eE]/.test(text.charAt(at)));
}

/** Where the string constant whose first character is at `at` ends, with the parts that continue it on later lines. */
function endOfString(text: string, at: number, escapes: boolean): number {
  let position = at;
  while (position < text.length) {
    const char = text.charAt(position);
    if (char === '\\' && escapes) position += 2;
    else if (char !== "'") position += 1;
    else if (text.charAt(position + 1) === "'") position += 2;
    else {
      const next = continuation(text, position + 1);
      if (next === 0) return position + 1;
      position = next;
    }
  }
  return text.length;
}

/** Past the quote that continues a string after white space with a newline in it; 0 when the string is over. */
function continuation(text: string, at: number): number {
  let position = at;
  let newline = false;
  for (;;) {
    const char = text.charAt(position);
    if (char === '\n' || char === '\r') newline = true;
    else if (char === '-' && text.charAt(position + 1) === '-') {
      while (position < text.length && !/[\n\r]/.test(text.charAt(position))) position += 1;
      continue;
    } else if (!/[ \t\f\v]/.test(char)) return newline && char === "'" ? position + 1 : 0;
    position += 1;
  }
}

function endOfQuoted(text: string, at: number): number {
  let position = text.indexOf('"', at);
  while (position >= 0 && text.charAt(position + 1) === '"') position = text.indexOf('"', position + 2);
  return position < 0 ? text.length : position + 1;
}

/** Comments nest. */
function endOfComment(text: string, at: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = at;
  let depth = 0;
  for (let match = edge.exec(text); match; match = edge.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return text.length;
}
