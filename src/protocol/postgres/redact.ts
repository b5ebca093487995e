/**
 * Owns hiding secrets in SQL text that is shown or kept: literals that stand where one does. Works on tokens, so it
 * also does for text that does not parse. Must never be used on what is forwarded or digested.
 */

/** Comments, quoted identifiers and literals, with the plain quotes of standard_conforming_strings = on. */
const TOKENS =
  /--[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"]|"")*"|[eE]'(?:[^'\\]|''|\\[\s\S])*'?|(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*'?|\$([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$[\s\S]*?\$\1\$|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*|\d[\w.]*|[^\s]/g;

const LITERAL = /^(?:[a-zA-Z&]{0,2}'|\$[^\d])/;
/** Words after which a literal is a secret: CREATE ROLE … PASSWORD, OPTIONS (password …), dblink's connection strings. */
const SECRET_WORD = /(?:password|passwd|pwd|secret|token|api_?key|access_?key|private_?key|credential)s?$/i;
/** A connection string or a URL with a password in it. */
const SECRET_TEXT = /\bpassword\s*=|:\/\/[^/\s:@]+:[^@\s]+@/i;

const HIDDEN = "'…'";

/** Only literals that stand where a secret does are hidden. */
export function withoutSecrets(text: string): string {
  let word = '';
  return text.replace(TOKENS, (token) => {
    if (LITERAL.test(token)) {
      const secret = SECRET_WORD.test(word) || SECRET_TEXT.test(token);
      return secret ? HIDDEN : token;
    }
    if (/^(?:[A-Za-z_]|")/.test(token)) word = token.replaceAll('"', '');
    else if (token === ',' || token === ';' || token === ')') word = '';
    return token;
  });
}
