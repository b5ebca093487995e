/**
 * Owns the built-in functions that the host lends to compiled policies, beside those that WebAssembly has natively.
 * Few, pure but for time.now_ns, and each answering as `opa eval` does (a test compares them). A policy that needs
 * another one is refused when it is loaded. Must never do I/O.
 */

import { createHash, createHmac } from 'node:crypto';

type Argument = unknown;

/** Undefined makes the Rego expression undefined, as a built-in error does in OPA. */
export type Builtin = (...args: Argument[]) => unknown;

const text = (value: Argument): string => {
  if (typeof value !== 'string') throw new TypeError('operand must be a string');
  return value;
};

const texts = (value: Argument): string[] => (Array.isArray(value) ? value.map(text) : [text(value)]);

/** Of the empty text, as in Go, one more than there are characters. */
const occurrences = (value: string, part: string): number =>
  part === '' ? [...value].length + 1 : value.split(part).length - 1;

const NANOSECONDS = 1_000_000;

/** RFC 3339, section 5.6, upper case as Go's parser wants it; the fraction is kept to nine digits. */
const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/;

function parseRfc3339(value: Argument): number | undefined {
  const match = RFC3339.exec(text(value));
  if (!match) return undefined;
  const [, whole, fraction = '', zone] = match;
  const seconds = Date.parse(`${whole}${zone}`);
  if (Number.isNaN(seconds) || !isCivil(whole ?? '')) return undefined;
  // Past 2^53 a double holds nanoseconds to 256: exact for the milliseconds that `input.time` has.
  return Number(BigInt(seconds) * BigInt(NANOSECONDS) + BigInt(fraction.padEnd(9, '0')));
}

/** Date.parse takes the 30th of February for the 2nd of March. */
const isCivil = (whole: string): boolean => new Date(`${whole}Z`).toISOString().startsWith(whole);

const FIELDS = {
  hourCycle: 'h23',
  weekday: 'long',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const;

/** The civil time of `ns` or `[ns, zone]`; the zone is an IANA name, by default UTC. */
function civil(value: Argument): Record<string, string> {
  const [ns, zone] = Array.isArray(value) ? value : [value, 'UTC'];
  if (typeof ns !== 'number') throw new TypeError('operand must be a number');
  const format = new Intl.DateTimeFormat('en-GB', { ...FIELDS, timeZone: text(zone) || 'UTC' });
  const parts = format.formatToParts(Math.floor(ns / NANOSECONDS));
  return Object.fromEntries(parts.map((part) => [part.type, part.value]));
}

const civilNumbers = (value: Argument, names: readonly string[]): number[] => {
  const parts = civil(value);
  return names.map((name) => Number(parts[name]));
};

export const BUILTINS: Readonly<Record<string, Builtin>> = {
  'base64url.encode_no_pad': (value) => Buffer.from(text(value), 'utf8').toString('base64url'),
  'crypto.hmac.sha256': (value, key) => createHmac('sha256', text(key)).update(text(value)).digest('hex'),
  'crypto.sha256': (value) => createHash('sha256').update(text(value)).digest('hex'),
  'hex.encode': (value) => Buffer.from(text(value), 'utf8').toString('hex'),
  'strings.any_prefix_match': (values, prefixes) =>
    texts(values).some((value) => texts(prefixes).some((prefix) => value.startsWith(prefix))),
  'strings.any_suffix_match': (values, suffixes) =>
    texts(values).some((value) => texts(suffixes).some((suffix) => value.endsWith(suffix))),
  'strings.count': (value, part) => occurrences(text(value), text(part)),
  'time.clock': (value) => civilNumbers(value, ['hour', 'minute', 'second']),
  'time.date': (value) => civilNumbers(value, ['year', 'month', 'day']),
  'time.now_ns': () => Date.now() * NANOSECONDS,
  'time.parse_rfc3339_ns': parseRfc3339,
  'time.weekday': (value) => civil(value).weekday,
};

/** What @open-policy-agent/opa-wasm brings itself, and does not let a host replace. */
const SDK_BUILTINS: ReadonlySet<string> = new Set([
  'json.is_valid',
  'regex.split',
  'sprintf',
  'yaml.is_valid',
  'yaml.marshal',
  'yaml.unmarshal',
]);

/** Answers that differ for the same input: a policy that uses one is not cached. */
export const IMPURE_BUILTINS: ReadonlySet<string> = new Set(['time.now_ns']);

/** Those of `names` that nobody provides. */
export function missingBuiltins(names: readonly string[]): string[] {
  return names.filter((name) => !Object.hasOwn(BUILTINS, name) && !SDK_BUILTINS.has(name));
}
