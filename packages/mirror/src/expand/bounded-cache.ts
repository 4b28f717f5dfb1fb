/** Remembers what was used last, up to about a total weight; what was forgotten must be found again by whoever asks. */
export interface BoundedCache<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
}

/**
 * Two halves: what is used goes into the young one; once that is full, it becomes the old one, and the one before is forgotten.
 * @param most the weight of both halves; a single value that is heavier is still remembered for a while.
 * @param weigh the weight of a value; its place counts one more.
 */
export function boundedCache<K, V>(most: number, weigh: (value: V) => number): BoundedCache<K, V> {
  let young = new Map<K, V>();
  let old: ReadonlyMap<K, V> = new Map();
  let weight = 0;

  function remember(key: K, value: V) {
    if (weight > most / 2) {
      old = young;
      young = new Map();
      weight = 0;
    }
    if (!young.has(key)) weight += 1 + weigh(value);
    young.set(key, value);
  }
  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const before = old.get(key);
      if (before !== undefined) remember(key, before);
      return before;
    },
    set: remember,
  };
}
