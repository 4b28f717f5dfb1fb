import { prefixTopic, type Watchers } from "../watch/watchers.ts";

/**
 * The indexes of lists answered of late, so that a client who asks again with the index it just got is put to wait
 * without another scan of its prefix.
 */
export interface ListIndexes {
  /** The index of the list as it is now; undefined when only a scan can tell. */
  known(prefix: string): number | undefined;
  remember(prefix: string, index: number): void;
}

/** More prefixes than this are not remembered at a time; the oldest goes first. */
const MOST = 256;

export function listIndexes(watchers: Watchers): ListIndexes {
  const indexes = new Map<string, { index: number; forget: () => void }>();

  function forget(prefix: string) {
    indexes.get(prefix)?.forget();
    indexes.delete(prefix);
  }

  return {
    known: (prefix) => indexes.get(prefix)?.index,
    remember(prefix, index) {
      forget(prefix);
      const [oldest] = indexes.size >= MOST ? indexes.keys() : [];
      if (oldest !== undefined) forget(oldest);
      const unwatch = watchers.watch([prefixTopic(prefix)], () => forget(prefix));
      indexes.set(prefix, { index, forget: unwatch });
    },
  };
}
