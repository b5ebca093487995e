/** Owns durations and sizes written for people: `50s`, `15m`, `1MiB`. Must never guess a missing unit. */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of `15m`, `1h30m`, `500ms`; null when it is not a duration, or is zero or over 365 days. */
export function parseDuration(text: string): number | null {
  const form = /^(?:\d+(?:ms|s|m|h|d))+$/;
  if (!form.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g)) {
    total += Number(count) * (DURATION_UNITS[unit ?? ''] ?? Number.NaN);
  }
  return total > 0 && total <= 365 * 86_400_000 ? total : null;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Octets of `1MiB`, `64KiB`, `512B`; null when it is not a size or is zero. */
export function parseSize(text: string): number | null {
  const match = /^(\d+)(B|KiB|MiB|GiB)$/.exec(text);
  if (!match) return null;
  const octets = Number(match[1]) * (SIZE_UNITS[match[2] ?? ''] ?? Number.NaN);
  return octets > 0 && Number.isSafeInteger(octets) ? octets : null;
}
