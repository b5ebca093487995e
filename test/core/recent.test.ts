import { describe, expect, it } from 'vitest';
import { addressText } from '../../src/core/address.ts';
import { messageOf } from '../../src/core/errors.ts';
import { isJsonObject } from '../../src/core/json.ts';
import { createRecent } from '../../src/core/recent.ts';

describe('a map of what was used recently', () => {
  it('keeps as many entries as it may, and gives back the one used longest ago for one more', () => {
    const recent = createRecent<number>(2);
    expect([recent.set('a', 1), recent.set('b', 2), recent.set('c', 3)]).toEqual([undefined, undefined, 1]);
    expect([...recent.values()]).toEqual([2, 3]);
  });

  it('counts a look-up and a replacement as a use', () => {
    const recent = createRecent<number>(2);
    recent.set('a', 1);
    recent.set('b', 2);
    expect(recent.get('a')).toBe(1);
    expect(recent.set('c', 3)).toBe(2);
    expect(recent.set('a', 4)).toBeUndefined();
    expect(recent.set('d', 5)).toBe(3);
    expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual([4, undefined, undefined]);
  });

  it('forgets what it is told to', () => {
    const recent = createRecent<number>(1);
    recent.set('a', 1);
    recent.delete('a');
    expect(recent.get('a')).toBeUndefined();
    expect(recent.set('b', 2)).toBeUndefined();
  });
});

describe('small values', () => {
  it('writes an address as a URL has it', () => {
    expect(addressText({ host: '127.0.0.1', port: 1 })).toBe('127.0.0.1:1');
    expect(addressText({ host: 'localhost', port: 0 })).toBe('localhost:0');
    expect(addressText({ host: '::1', port: 443 })).toBe('[::1]:443');
  });

  it('takes neither null nor an array for an object', () => {
    expect([{}, { a: 1 }].every(isJsonObject)).toBe(true);
    expect([null, [], 'text', 1, true, undefined].some(isJsonObject)).toBe(false);
  });

  it('says what an error says, and nothing of anything else that was thrown', () => {
    expect(messageOf(new TypeError('why'))).toBe('why');
    expect(messageOf({ password: 'hunter2' })).toBe('unknown error');
    expect(messageOf('hunter2')).toBe('unknown error');
  });
});
