/** Each host built-in answers as OPA's own does, undefined included. */

import { describe, expect, it } from 'vitest';
import { BUILTINS, missingBuiltins } from '../../src/policy/builtins.ts';
import { evaluate, opa } from './opa.ts';

const NOON = 1_767_268_800_000_000_000;

const CASES: readonly { name: string; args: readonly unknown[] }[] = [
  { name: 'base64url.encode_no_pad', args: ['subjects?_d'] },
  { name: 'base64url.encode_no_pad', args: ['ÿé'] },
  { name: 'crypto.hmac.sha256', args: ['message', 'key'] },
  { name: 'crypto.sha256', args: [''] },
  { name: 'crypto.sha256', args: ['é'] },
  { name: 'hex.encode', args: ['é!'] },
  { name: 'strings.any_prefix_match', args: ['release/1', ['main', 'release/']] },
  { name: 'strings.any_prefix_match', args: [['a', 'b'], 'c'] },
  { name: 'strings.any_prefix_match', args: [[], ''] },
  { name: 'strings.any_suffix_match', args: [['a.test', 'b.example'], ['.example']] },
  { name: 'strings.any_suffix_match', args: ['a', 'b'] },
  { name: 'strings.count', args: ['cheese', 'e'] },
  { name: 'strings.count', args: ['aaaa', 'aa'] },
  { name: 'strings.count', args: ['dog', ''] },
  { name: 'strings.count', args: ['', 'e'] },
  { name: 'time.clock', args: [NOON] },
  { name: 'time.clock', args: [[NOON, 'Europe/Berlin']] },
  { name: 'time.clock', args: [[NOON, 'America/St_Johns']] },
  { name: 'time.clock', args: [[NOON, '']] },
  { name: 'time.clock', args: [[NOON, 'Nowhere/Land']] },
  { name: 'time.date', args: [NOON] },
  { name: 'time.date', args: [[NOON, 'Pacific/Kiritimati']] },
  { name: 'time.date', args: [0] },
  { name: 'time.weekday', args: [NOON] },
  { name: 'time.weekday', args: [[NOON, 'Pacific/Kiritimati']] },
  { name: 'time.parse_rfc3339_ns', args: ['2026-01-01T12:00:00Z'] },
  { name: 'time.parse_rfc3339_ns', args: ['2026-01-01T12:00:00.123Z'] },
  { name: 'time.parse_rfc3339_ns', args: ['2026-01-01T12:00:00.5+05:30'] },
  { name: 'time.parse_rfc3339_ns', args: ['1969-12-31T23:59:59Z'] },
  { name: 'time.parse_rfc3339_ns', args: ['2026-01-01 12:00:00Z'] },
  { name: 'time.parse_rfc3339_ns', args: ['2026-02-30T12:00:00Z'] },
  { name: 'time.parse_rfc3339_ns', args: ['2026-01-01T25:00:00Z'] },
  { name: 'time.parse_rfc3339_ns', args: ['2026-01-01'] },
  { name: 'time.parse_rfc3339_ns', args: [''] },
];

/** What the SDK makes of a built-in that throws: no answer. */
function call(name: string, args: readonly unknown[]): unknown {
  try {
    return BUILTINS[name]?.(...args);
  } catch {
    return undefined;
  }
}

describe.skipIf(opa === null)('the host built-ins, beside those of opa eval', () => {
  it.each(CASES)('$name of $args', ({ name, args: given }) => {
    const placed = given.map((_, index) => `input.args[${index}]`).join(', ');
    expect(call(name, given)).toEqual(evaluate(`${name}(${placed})`, { input: { args: given } }));
  });

  it('compares every one but the clock', () => {
    const compared = new Set<string>(CASES.map(({ name }) => name));
    expect(Object.keys(BUILTINS).filter((name) => !compared.has(name))).toEqual(['time.now_ns']);
  });
});

describe('the list of built-ins', () => {
  it('names what is missing, and takes what the SDK brings', () => {
    expect(missingBuiltins(['time.clock', 'sprintf', 'http.send', 'toString'])).toEqual([
      'http.send',
      'toString',
    ]);
  });
});
