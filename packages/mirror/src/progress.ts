import type { Pass, Work } from "./pass.ts";

/** Events of progress are at least this far apart, in milliseconds. */
const PROGRESS_EVERY_MS = 300;

/** Told how many operations were written, it tells now and then how far the work is. */
export function progressTeller({ settings }: Pass, work: Work): (count: number) => void {
  const { clock, emit } = settings;
  const total = work.puts.length + work.removals.length;
  let toldAt = clock.now();
  let done = 0;
  return (count) => {
    done += count;
    if (clock.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = clock.now();
    emit({ type: "mirror.progress", done, total, revision: work.marker.revision });
  };
}
