/** Owns decisions kept by what policy saw: bounded, the least recently used go first. Must never outlive its policy. */

export interface Cache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
  readonly size: number;
}

/**
 * Keeps at most `capacity` values, and at least the half of it that was used last; none where it is 0. Two
 * generations, so that a hit costs one look-up: when the young one is full, it becomes the old one.
 */
export function createCache<Value>(capacity: number): Cache<Value> {
  const generation = Math.floor(capacity / 2);
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  const set = (key: string, value: Value): void => {
    if (generation === 0) return;
    if (young.size >= generation && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
    old.delete(key);
  };
  return {
    get(key) {
      const recent = young.get(key);
      if (recent !== undefined) return recent;
      const value = old.get(key);
      if (value !== undefined) set(key, value);
      return value;
    },
    set,
    delete(key) {
      young.delete(key);
      old.delete(key);
    },
    get size() {
      return young.size + old.size;
    },
  };
}
