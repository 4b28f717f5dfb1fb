/**
 * How many runs a property gets, and from which seed. `SLUICE_RUNS` multiplies the runs for a long soak, `SLUICE_SEED` repeats
 * the run a failure has printed.
 */
export function soak(runs: number): { numRuns: number; seed?: number; endOnFailure: boolean } {
  const times = Number(process.env.SLUICE_RUNS ?? 1);
  const seed = process.env.SLUICE_SEED;
  return {
    numRuns: Math.max(1, Math.round(runs * times)),
    // Shrinking a history against a server takes longer than reading it.
    endOnFailure: process.env.SLUICE_SHRINK === undefined,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}
