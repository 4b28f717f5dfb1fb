import type { RoutedServer } from "./route.ts";

/** A numbered place for a server in a backend. Places stay, so that a balancer need not be told anew which there are. */
export interface Slot {
  /** `s1`, `s2`, … */
  readonly name: string;
  readonly server: RoutedServer | undefined;
  /** True: its server is being let go; it gets nobody new. */
  readonly draining: boolean;
}

export const FEWEST_SLOTS = 4;

/** Empty places. */
export function emptySlots(count: number): readonly Slot[] {
  return Array.from({ length: count }, (_, at) => ({
    name: `s${at + 1}`,
    server: undefined,
    draining: false,
  }));
}

/**
 * Puts servers into places: each stays where it is, new ones take the first free place, those that are gone drain. Where there
 * is no room, the number of places doubles.
 */
export function assignSlots(slots: readonly Slot[], servers: readonly RoutedServer[]): readonly Slot[] {
  const wanted = new Map(servers.map((server) => [server.id, server]));
  const kept = slots.map((slot): Slot => {
    if (!slot.server) return slot;
    const server = wanted.get(slot.server.id);
    if (!server) return { ...slot, draining: true };
    wanted.delete(server.id);
    return { ...slot, server, draining: false };
  });
  const rest = [...wanted.values()];
  const free = kept.filter(({ server }) => !server).length;
  const room = [...kept, ...emptySlots(sizeFor(kept.length, rest.length - free)).slice(kept.length)];
  return room.map((slot) => (slot.server ? slot : { ...slot, server: rest.shift() }));
}

/** Frees the places of servers that have drained. */
export function releaseSlots(slots: readonly Slot[], drained: (slot: Slot) => boolean): readonly Slot[] {
  return slots.map((slot) =>
    slot.draining && drained(slot) ? { ...slot, server: undefined, draining: false } : slot,
  );
}

function sizeFor(size: number, lacking: number): number {
  let next = Math.max(size, FEWEST_SLOTS);
  while (next - size < lacking) next *= 2;
  return next;
}
