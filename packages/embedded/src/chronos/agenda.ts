/** What is to be looked at when: at most one time per key. All times in milliseconds since the epoch. */
export interface Agenda {
  /** Sets or moves the time of a key; `undefined` removes it. */
  set(key: string, at: number | undefined): void;
  /** Takes out the keys whose time has come, earliest first. */
  takeDue(now: number): string[];
  /** The earliest time. */
  next(): number | undefined;
}

interface Entry {
  key: string;
  at: number;
  /** Among equal times the one set first comes first. */
  order: number;
}

/** A heap in which moved entries stay as dead ones until they surface or outnumber the living. */
export function agenda(): Agenda {
  const living = new Map<string, Entry>();
  let heap: Entry[] = [];
  let sets = 0;

  function alive(entry: Entry): boolean {
    return living.get(entry.key) === entry;
  }

  function first(): Entry | undefined {
    while (heap[0] !== undefined && !alive(heap[0])) pop(heap);
    return heap[0];
  }

  return {
    set(key, at) {
      if (living.get(key)?.at === at) return;
      living.delete(key);
      if (at === undefined) return;
      const entry = { key, at, order: sets++ };
      living.set(key, entry);
      push(heap, entry);
      if (heap.length <= 2 * living.size + 64) return;
      heap = [];
      for (const one of living.values()) push(heap, one);
    },
    takeDue(now) {
      const due: string[] = [];
      for (let entry = first(); entry !== undefined && entry.at <= now; entry = first()) {
        pop(heap);
        living.delete(entry.key);
        due.push(entry.key);
      }
      return due;
    },
    next: () => first()?.at,
  };
}

function push(heap: Entry[], entry: Entry): void {
  let at = heap.push(entry) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (above === undefined || precedes(above, entry)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const smaller = earlier(heap, left, left + 1);
    const below = heap[smaller];
    if (below === undefined || precedes(last, below)) break;
    heap[at] = below;
    at = smaller;
  }
  heap[at] = last;
}

function earlier(heap: Entry[], left: number, right: number): number {
  const a = heap[left];
  const b = heap[right];
  return a !== undefined && b !== undefined && precedes(b, a) ? right : left;
}

function precedes(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
