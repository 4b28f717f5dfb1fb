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
}

/** A heap in which moved entries stay as dead ones until they surface or outnumber the living. */
export function agenda(): Agenda {
  const times = new Map<string, number>();
  let heap: Entry[] = [];

  function alive(entry: Entry): boolean {
    return times.get(entry.key) === entry.at;
  }

  function first(): Entry | undefined {
    while (heap[0] !== undefined && !alive(heap[0])) pop(heap);
    return heap[0];
  }

  return {
    set(key, at) {
      if (times.get(key) === at) return;
      if (at === undefined) return void times.delete(key);
      times.set(key, at);
      push(heap, { key, at });
      if (heap.length <= 2 * times.size + 64) return;
      heap = [];
      for (const [one, time] of times) push(heap, { key: one, at: time });
    },
    takeDue(now) {
      const due: string[] = [];
      for (let entry = first(); entry !== undefined && entry.at <= now; entry = first()) {
        pop(heap);
        times.delete(entry.key);
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
    if (above === undefined || above.at <= entry.at) break;
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
    if (below === undefined || below.at >= last.at) break;
    heap[at] = below;
    at = smaller;
  }
  heap[at] = last;
}

function earlier(heap: Entry[], left: number, right: number): number {
  const a = heap[left];
  const b = heap[right];
  return a !== undefined && b !== undefined && b.at < a.at ? right : left;
}
