/** Remembers what was used last, up to a total weight; what falls out must be found again by whoever asks. */
export interface BoundedCache<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
}

/** @param weigh the weight of one value, at least 1 for every value whatever it says. */
export function boundedCache<K, V>(most: number, weigh: (value: V) => number): BoundedCache<K, V> {
  const kept = new Map<K, V>();
  let weight = 0;

  function drop(key: K, value: V) {
    kept.delete(key);
    weight -= 1 + weigh(value);
  }
  return {
    get(key) {
      const value = kept.get(key);
      if (value !== undefined) {
        kept.delete(key);
        kept.set(key, value);
      }
      return value;
    },
    set(key, value) {
      const before = kept.get(key);
      if (before !== undefined) drop(key, before);
      kept.set(key, value);
      weight += 1 + weigh(value);
      for (const [oldest, old] of kept) {
        if (weight <= most || oldest === key) break;
        drop(oldest, old);
      }
    },
  };
}
