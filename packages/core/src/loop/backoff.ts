export interface BackoffOptions {
  /** Milliseconds. */
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Numbers in [0, 1). */
export type Random = () => number;

/**
 * Milliseconds to wait after a failure that follows `failures` others in a row (0: the first one, about `firstMs`). Doubles up
 * to `mostMs`; jittered over its upper half, so that it never is near zero.
 */
export function backoffMs(failures: number, options: BackoffOptions, random: Random): number {
  const ceiling = Math.min(options.mostMs, options.firstMs * 2 ** Math.min(failures, 30));
  return ceiling / 2 + (random() * ceiling) / 2;
}

/** `ms` moved by at most `share` of itself either way, so that many engines do not tick together. */
export function jittered(ms: number, share: number, random: Random): number {
  return ms * (1 - share + 2 * share * random());
}
