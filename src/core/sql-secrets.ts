/**
 * Owns hiding secrets in SQL text that is shown or kept: literals that stand where one does. Works on tokens, so it
 * also does for text that does not parse. Must never be used on what is forwarded or digested.
 */

import { endOfToken, kindAt } from './sql-tokens.ts';

/** Words after which a literal is a secret: CREATE ROLE … PASSWORD, OPTIONS (password …), dblink's connection strings. */
const SECRET_WORD = /(?:password|passwd|pwd|secret|token|api_?key|access_?key|private_?key|credential)s?$/i;
/**
 * A connection string or a URL with a password in it. Bounded runs: unbounded ones take quadratic time on a text made
 * of the beginnings of URLs.
 */
const SECRET_TEXT = /\bpassword\s*=|:\/\/[^/\s:@]{1,64}:[^@\s]{1,256}@/i;
const LITERAL = /^(?:(?:[eEbBxXnN]|[uU]&)?'|\$)/;
/** U&'…' and E'…' can spell a word so that it does not look like one. */
const ESCAPED = /^[uUeE]&?'/;

const HIDDEN = "'…'";

/** Only literals that stand where a secret does are hidden, and comments that hold one. */
export function withoutSecrets(text: string): string {
  let out = '';
  let word = '';
  for (let at = 0; at < text.length; ) {
    const start = at;
    const kind = kindAt(text, start);
    at = endOfToken(text, start, kind);
    const token = text.slice(start, at);
    if (kind === 'constant' && LITERAL.test(token)) out += isSecret(token, word) ? HIDDEN : token;
    else if (kind === 'comment') out += SECRET_TEXT.test(token) ? '/*…*/' : token;
    else out += token;
    if (kind === 'name' || kind === 'quoted') word = token.replaceAll('"', '');
    else if (kind === 'mark' && /[,;)]/.test(token)) word = '';
  }
  return out;
}

function isSecret(token: string, word: string): boolean {
  if (SECRET_WORD.test(word) || SECRET_TEXT.test(token)) return true;
  return ESCAPED.test(token) && SECRET_TEXT.test(unescaped(token));
}

/** Near enough to look for a word in. */
function unescaped(token: string): string {
  return token
    .replace(/\\(?:u|x|\+00)?([\da-f]{4}|[\da-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    .replace(/\\([0-7]{1,3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
