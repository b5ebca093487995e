import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/core/limits.ts';
import { createCache } from '../../src/policy/cache.ts';

describe('the cache of decisions', () => {
  it('never holds more than its capacity', () => {
    const cache = createCache<number>(LIMITS.policyCacheEntries);
    for (let key = 0; key < LIMITS.policyCacheEntries * 3; key += 1) {
      cache.set(String(key), key);
      expect(cache.size).toBeLessThanOrEqual(LIMITS.policyCacheEntries);
    }
    expect(cache.size).toBeGreaterThan(LIMITS.policyCacheEntries / 2);
  });

  it('keeps what is used over what is not', () => {
    const cache = createCache<number>(10);
    cache.set('used', 1);
    for (let key = 0; key < 100; key += 1) {
      cache.set(String(key), key);
      expect(cache.get('used')).toBe(1);
    }
    expect(cache.get('0')).toBeUndefined();
    expect(cache.get('99')).toBe(99);
  });

  it('keeps nothing where its capacity is 0', () => {
    const cache = createCache<number>(0);
    cache.set('key', 1);
    expect(cache.get('key')).toBeUndefined();
  });

  it('answers as a map would, or not at all', () => {
    const step = fc.tuple(fc.constantFrom('get', 'set', 'delete'), fc.nat(12), fc.nat());
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const cache = createCache<number>(6);
        const map = new Map<string, number>();
        for (const [what, number, value] of steps) {
          const key = String(number);
          if (what === 'set') {
            cache.set(key, value);
            map.set(key, value);
          } else if (what === 'delete') {
            cache.delete(key);
            map.delete(key);
          } else expect([undefined, map.get(key)]).toContain(cache.get(key));
        }
      }),
    );
  });
});
