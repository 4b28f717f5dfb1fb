/** Who waits for what. Waking costs in proportion to the watchers concerned, not to all of them. */
export interface Watchers {
  /** Calls `wake` at the next change of any of the topics. @returns the end of the watch; safe to call twice. */
  watch(topics: readonly string[], wake: () => void): () => void;
  /** A KV key changed: wakes its own watchers and those of every prefix of it. */
  keyChanged(key: string): void;
  changed(topic: string): void;
  /** Wakes everyone, as a server does that goes down. */
  wakeAll(): void;
}

export function keyTopic(key: string): string {
  return `key:${key}`;
}

export function prefixTopic(prefix: string): string {
  return `prefix:${prefix}`;
}

export function watchers(): Watchers {
  const byTopic = new Map<string, Set<() => void>>();
  /** How many topics watch a prefix of each length, so that a changed key tries only lengths in use. */
  const prefixLengths = new Map<number, number>();

  function changed(topic: string) {
    for (const wake of [...(byTopic.get(topic) ?? [])]) wake();
  }

  function countLength(topic: string, by: number) {
    if (!topic.startsWith("prefix:")) return;
    const length = topic.length - "prefix:".length;
    const count = (prefixLengths.get(length) ?? 0) + by;
    if (count === 0) prefixLengths.delete(length);
    else prefixLengths.set(length, count);
  }

  function add(topic: string, wake: () => void) {
    const known = byTopic.get(topic);
    if (known) known.add(wake);
    else {
      byTopic.set(topic, new Set([wake]));
      countLength(topic, 1);
    }
  }

  function remove(topic: string, wake: () => void) {
    const known = byTopic.get(topic);
    if (!known?.delete(wake) || known.size > 0) return;
    byTopic.delete(topic);
    countLength(topic, -1);
  }

  return {
    changed,
    watch(topics, wake) {
      for (const topic of topics) add(topic, wake);
      return () => {
        for (const topic of topics) remove(topic, wake);
      };
    },
    keyChanged(key) {
      changed(keyTopic(key));
      for (const length of [...prefixLengths.keys()]) {
        if (length <= key.length) changed(prefixTopic(key.slice(0, length)));
      }
    },
    wakeAll() {
      for (const topic of [...byTopic.keys()]) changed(topic);
    },
  };
}
