/**
 * Owns what a credential looks like where a plain name was expected: the second line behind redaction by key. Must
 * never be the only line: a password that looks like a word passes here.
 */

/** Tokens whose issuer gives them a prefix, and JSON Web Tokens. */
const PREFIXED =
  /(?:gh[opusr]_|github_pat_|glpat-|sk-|[sr]k_(?:live|test)_|xox[a-z]-|xapp-|AKIA|ASIA|AIza|ya29\.|hf_|npm_|SG\.|shp[a-z]{2}_|eyJ)[\w.\-/+=]{8,}/g;
/** Long runs that mix cases and digits, as random base64 does and words, UUIDs and hex digests do not. */
const RANDOM = /[\w-]{24,}/g;

/** The text with everything that looks like a credential replaced by `…`. */
export function maskSecrets(text: string): string {
  if (text.length < 12) return text;
  return text.replace(PREFIXED, '…').replace(RANDOM, (run) => (looksRandom(run) ? '…' : run));
}

function looksRandom(run: string): boolean {
  return /[a-z]/.test(run) && /[A-Z]/.test(run) && (run.match(/\d/g)?.length ?? 0) >= 2;
}
