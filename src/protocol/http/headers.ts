/**
 * Owns header sections as flat lists of names and values in the order sent (the form node:http calls rawHeaders):
 * what travels end to end, what policy and people may see, and what is doubled. Must never touch a body.
 */

import { ProtocolError } from '../../core/errors.ts';

/** `[name, value, name, value, …]`, names and values as octets in Latin-1 text. */
export type RawHeaders = readonly string[];

/** RFC 9110 section 7.6.1 and what older clients send in their place; meant for the next hop only. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'proxy-authentication-info',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Fields that decide framing, routing or authority: naming one in Connection does not make it go away. */
const NEVER_NOMINATED = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'authorization',
  'cookie',
]);

/** Fields of which a second one changes the meaning with the reader (RFC 9110 section 5.3). */
const SINGLETONS = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'host',
  'x-amz-target',
  'x-amz-date',
]);

const CREDENTIALS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'api-key',
  'apikey',
  'x-auth-token',
  'x-access-token',
  'x-amz-security-token',
  'x-goog-api-key',
  'x-goog-iam-authorization-token',
  'x-vault-token',
  'x-github-token',
  'private-token',
  'job-token',
  'deploy-token',
  'ocp-apim-subscription-key',
  'dd-api-key',
  'dd-application-key',
  'x-csrf-token',
  'sec-websocket-key',
]);

const CREDENTIAL_NAME = /(?:^|[-_])(?:api-?key|token|secret|password|passwd|credential|signature)s?$/;

export function* fieldsOf(raw: RawHeaders): Generator<readonly [name: string, value: string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    yield [(raw[index] ?? '').toLowerCase(), raw[index + 1] ?? ''];
  }
}

/** Every value of one field, in order. @param name Lower case. */
export function valuesOf(raw: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (const [field, value] of fieldsOf(raw)) if (field === name) values.push(value);
  return values;
}

/** The only value of a field; null when there is none, or more than one. @param name Lower case. */
export function soleValue(raw: RawHeaders, name: string): string | null {
  const values = valuesOf(raw, name);
  return values.length === 1 ? (values[0] ?? null) : null;
}

/** Members of a comma-separated list field, lower case. */
export function listOf(raw: RawHeaders, name: string): string[] {
  return valuesOf(raw, name)
    .flatMap((value) => value.split(','))
    .map((member) => member.trim().toLowerCase())
    .filter((member) => member !== '');
}

/**
 * What goes on to the other side: all but the hop-by-hop fields and those that Connection names. Order and case stay,
 * and nothing is added, Via and Forwarded included: what was approved, and what was signed, is what arrives.
 */
export function endToEnd(raw: RawHeaders, alsoDrop: readonly string[] = []): string[] {
  const dropped = new Set([
    ...alsoDrop,
    ...listOf(raw, 'connection').filter((name) => !NEVER_NOMINATED.has(name)),
  ]);
  const kept: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    if (!HOP_BY_HOP.has(name) && !dropped.has(name)) kept.push(raw[index] ?? '', raw[index + 1] ?? '');
  }
  return kept;
}

/** True when a field that must be alone is doubled, or Connection tries to remove one that must stay. */
export function hasConflict(raw: RawHeaders): boolean {
  const seen = new Set<string>();
  for (const [name] of fieldsOf(raw)) {
    if (SINGLETONS.has(name) && seen.has(name)) return true;
    seen.add(name);
  }
  return listOf(raw, 'connection').some((name) => NEVER_NOMINATED.has(name));
}

/**
 * Framing that this proxy will vouch for: no transfer coding but `chunked`, and that in HTTP/1.1 only (RFC 9112 section
 * 6.1). Content-Length beside it, or twice, is for the parser to refuse.
 * @throws ProtocolError `request_malformed`
 */
export function checkFraming(raw: RawHeaders, protocol: string): void {
  const codings = valuesOf(raw, 'transfer-encoding');
  if (codings.length === 0) return;
  if (protocol !== 'HTTP/1.1')
    throw new ProtocolError('request_malformed', `Transfer-Encoding does not exist in ${protocol}`);
  if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
    throw new ProtocolError('request_malformed', 'the only transfer coding that is carried is chunked');
  }
}

/** For policy and people: lower-case names, repeated fields joined with `, `, credentials redacted. */
export function visibleHeaders(raw: RawHeaders): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of fieldsOf(raw)) {
    const shown = isCredential(name) ? redact(name, value) : value;
    const before = joined.get(name);
    joined.set(name, before === undefined ? shown : `${before}, ${shown}`);
  }
  return Object.fromEntries(joined);
}

const isCredential = (name: string): boolean => CREDENTIALS.has(name) || CREDENTIAL_NAME.test(name);

export const REDACTED = '[redacted]';

/** Keeps what tells kinds of credential apart and gives nothing away: the scheme, the names of cookies. */
function redact(name: string, value: string): string {
  if (name === 'cookie') {
    return value
      .split(';')
      .map((pair) => `${pair.split('=', 1)[0]?.trim()}=${REDACTED}`)
      .join('; ');
  }
  const scheme = /^(?:proxy-)?authorization$/.test(name)
    ? /^([A-Za-z][A-Za-z0-9-]{0,30})\s+\S/.exec(value)?.[1]
    : undefined;
  return scheme ? `${scheme} ${REDACTED}` : REDACTED;
}
