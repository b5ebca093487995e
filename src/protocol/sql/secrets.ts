/**
 * Owns what a secret in SQL text looks like: by its own form, or by the option that it is given to. A judgement: it
 * errs towards saying yes. Every pattern is linear. Must never pass a secret on.
 */

const SECRET_FORMS: readonly RegExp[] = [
  /\b(?:password|passwd|pwd|sslpassword|passfile)\s{0,8}=\s{0,8}[^\s;]/i, // connection strings
  /:\/\/[^\s:@/]{0,128}:[^\s@/]{1,256}@/, // URLs with a password
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, // AWS access keys
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/,
  /\b(?:gh[pousr]_[A-Za-z0-9]{20}|github_pat_[A-Za-z0-9]{20}|xox[abprs]-[A-Za-z0-9-]{10}|sk-[A-Za-z0-9_-]{20})/,
  /\beyJ[A-Za-z0-9_-]{10,512}\.eyJ/, // JSON Web Tokens
  /^(?:md5[0-9a-f]{32}|SCRAM-SHA-256\$\d+:)/, // PostgreSQL's own password verifiers
];

const SECRET_OPTIONS = /pass(?:word|wd|file)|secret|sslkey|token|access_key|api_?key|credential/i;

export function isSecret(text: string): boolean {
  return text.length >= 4 && SECRET_FORMS.some((form) => form.test(text));
}

/** True for the name of an option whose value is a secret: `password`, `secret_access_key` … */
export function isSecretOption(name: string): boolean {
  return SECRET_OPTIONS.test(name) && name !== 'password_required';
}
