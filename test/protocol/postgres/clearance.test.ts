import { describe, expect, it } from 'vitest';
import { mintPermit } from '../../../src/core/permit.ts';
import { Cleared, createClearance } from '../../../src/protocol/postgres/clearance.ts';

const clearance = createClearance(mintPermit('session', 's', 'this connection', null), 'this connection');
const octets = Buffer.from('abcdef');

describe('the clearance', () => {
  it('takes an action’s permit once, and for its own digest only', () => {
    const permit = mintPermit('action', 'd', 'exact', null);
    expect(() => clearance.action(permit, 'another', octets)).toThrow(/other octets/);
    expect(Cleared.gather([clearance.action(permit, 'exact', octets)])).toEqual([octets]);
    expect(() => clearance.action(permit, 'exact', octets)).toThrow(/twice/);
  });

  it('takes another connection’s permit for nothing', () => {
    const other = createClearance(mintPermit('session', 's', 'that connection', null), 'this connection');
    expect(() => other.plumbing('sync', octets)).toThrow(/other octets/);
  });

  it('makes one piece again of what was cut from one chunk, and only of that', () => {
    const parts = [octets.subarray(0, 2), octets.subarray(2, 5), Buffer.from('X'), octets.subarray(5)];
    const whole = Cleared.gather(parts.map((part) => clearance.plumbing('copy data', part)));
    expect(whole.map(String)).toEqual(['abcde', 'X', 'f']);
    expect(whole[0]?.buffer).toBe(octets.buffer);
  });
});
