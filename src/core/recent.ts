/**
 * Owns a map with a bound: when it is full, the entry that was used longest ago goes. Must never be the only place of
 * what may not be lost.
 */

export interface Recent<Value> {
  /** Counts as a use. */
  get(key: string): Value | undefined;
  /** Puts it in, in place of what was there under this key. Returns what had to go for it, or undefined. */
  set(key: string, value: Value): Value | undefined;
  delete(key: string): void;
  values(): Iterable<Value>;
}

/** Keeps at most `capacity` entries. */
export function createRecent<Value>(capacity: number): Recent<Value> {
  // A Map keeps the order of insertion: the first entry is the one used longest ago.
  const entries = new Map<string, Value>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= capacity) return undefined;
      for (const [oldest, gone] of entries) {
        entries.delete(oldest);
        return gone;
      }
      return undefined;
    },
    delete: (key) => void entries.delete(key),
    values: () => entries.values(),
  };
}
