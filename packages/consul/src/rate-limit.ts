import type { Clock } from "@sluice/core";

/** Lets through `burst` at once and then `perSecond`; waits only when there is nothing left. */
export function rateLimit(
  clock: Clock,
  { burst, perSecond }: { readonly burst: number; readonly perSecond: number },
): (signal: AbortSignal) => Promise<void> {
  let left = burst;
  let at = clock.now();
  function refill() {
    const now = clock.now();
    left = Math.min(burst, left + (Math.max(0, now - at) / 1000) * perSecond);
    at = now;
  }
  return async (signal) => {
    refill();
    while (left < 1 && !signal.aborted) {
      await clock.sleep(((1 - left) / perSecond) * 1000, signal);
      refill();
    }
    left -= 1;
  };
}
