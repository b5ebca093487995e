/**
 * Owns what is taken out before a call is shown or recorded: credentials in queries and bodies (headers.ts does
 * those in fields). Must never be used on what is forwarded or what policy sees.
 */

import type { Json } from '../../core/facts.ts';
import { isJsonObject } from '../../core/json.ts';
import type { BodyReading } from './body.ts';
import { REDACTED } from './headers.ts';

/** Words that, at the end of a name, say that its value is a secret. */
const SECRET_WORDS =
  'passw(?:or)?d|passphrase|secret(?:[-_]?string)?|(?:api|private|access)[-_]?key|credential';
/** Not every token is one: `max_tokens` is a number. */
const SECRET_NAME = new RegExp(
  `(?:${SECRET_WORDS}|(?:access|refresh|id|auth|bearer|session|security)[-_]?token|^token|^authorization)s?$`,
  'i',
);
/** Where there is no telling names from values, every token is one. */
const SECRET_IN_TEXT = new RegExp(
  `((?:${SECRET_WORDS}|token)s?"?\\s*[:=]\\s*)("(?:[^"\\\\]|\\\\.)*"?|[^\\s,;&}]+)`,
  'gi',
);
/** Bounded, so that a long word that looks like a name takes no longer than it is long. */
const SECRET_ELEMENT = new RegExp(
  `(<([\\w:]{0,64}?(?:${SECRET_WORDS}|token)\\w{0,64})>)[^<]+(<\\/\\2>)`,
  'gi',
);
const SECRET_PARAMETER =
  /^(?:key|sig|signature|code|auth|x-amz-signature|x-amz-security-token|x-goog-signature)$/i;

/** Path and query with the values of credential parameters taken out. */
export function redactPath(path: string): string {
  const mark = path.indexOf('?');
  if (mark < 0) return path;
  const query = path
    .slice(mark + 1)
    .split('&')
    .map((field) => {
      const [name = ''] = field.split('=', 1);
      const secret = SECRET_PARAMETER.test(name) || SECRET_NAME.test(name);
      return secret && field.length > name.length + 1 ? `${name}=${REDACTED}` : field;
    });
  return `${path.slice(0, mark)}?${query.join('&')}`;
}

/**
 * The body as people may see it: exactly as sent where nothing had to be taken out, otherwise written anew. Null where
 * it is no text. @param secretData The values of `data` are secrets too (a Kubernetes Secret).
 */
export function redactBody(body: BodyReading, secretData: boolean): string | null {
  if (body.text === null) return null;
  if (body.parsed === null) return redactText(body.text);
  const redacted = redactJson(body.parsed, secretData);
  return redacted.changed ? JSON.stringify(redacted.value, null, 2) : body.text;
}

/** Text of no known form, JSON that broke off, XML: whatever stands after or inside a name that says what it is. */
function redactText(text: string): string {
  return text.replace(SECRET_IN_TEXT, `$1${REDACTED}`).replace(SECRET_ELEMENT, `$1${REDACTED}$3`);
}

function redactJson(value: Json, secretData: boolean): { value: Json; changed: boolean } {
  if (Array.isArray(value)) {
    const items = value.map((item) => redactJson(item, secretData));
    return { value: items.map((item) => item.value), changed: items.some((item) => item.changed) };
  }
  if (value === null || typeof value !== 'object') return { value, changed: false };
  const isSecret = secretData || value.kind === 'Secret';
  let changed = false;
  const entries = Object.entries(value).map(([key, inner]): [string, Json] => {
    if (isSecret && (key === 'data' || key === 'stringData')) {
      changed = true;
      return [key, blank(inner)];
    }
    if (SECRET_NAME.test(key) && holdsText(inner)) {
      changed = true;
      return [key, REDACTED];
    }
    const redacted = redactJson(inner, isSecret);
    changed ||= redacted.changed;
    return [key, redacted.value];
  });
  return { value: Object.fromEntries(entries), changed };
}

const holdsText = (value: Json): boolean =>
  typeof value === 'string' ||
  (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string'));

/** Keys stay, values go. */
function blank(value: Json): Json {
  if (!isJsonObject(value)) return REDACTED;
  return Object.fromEntries(Object.keys(value).map((key) => [key, REDACTED]));
}
