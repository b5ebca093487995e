/** Owns waiting for something to happen: no polling, no sleeping. */

export interface Watch {
  changed(): void;
  /** The first of `items()` of which `is` is true, now or within `ms`. */
  first<T>(what: string, items: () => readonly T[], is: (item: T) => boolean, ms?: number): Promise<T>;
}

export function createWatch(): Watch {
  const waiting = new Set<() => void>();
  return {
    changed() {
      for (const look of [...waiting]) look();
    },
    first(what, items, is, ms = 10_000) {
      const wanted = new Error(`no such ${what} within ${ms} ms`);
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          waiting.delete(look);
          wanted.message += `; there is ${JSON.stringify(items(), null, 1).slice(0, 4_000)}`;
          reject(wanted);
        }, ms);
        function look(): void {
          const found = items().find(is);
          if (found === undefined) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve(found);
        }
        waiting.add(look);
        look();
      });
    },
  };
}
