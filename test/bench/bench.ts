/** One number a benchmark measured. `target` is a bound such as "<= 1.5", or null where there is none. */
export interface Figure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly target: string | null;
}

export interface Bench {
  readonly name: string;
  /** What is measured against what, in a sentence. */
  readonly about: string;
  /** @param flags words of the command line that begin with `--`. */
  run(report: Report, flags: ReadonlySet<string>): Promise<void>;
}

/** Where a benchmark puts its figures and says how far it is. */
export interface Report {
  add(figure: Figure): void;
  /** Progress for a person; not part of the result. */
  say(text: string): void;
}

/** The value below which `share` (0 to 1) of the samples lie: nearest rank. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Whether a value keeps its target; undefined where there is none. */
export function keeps(value: number, target: string | null): boolean | undefined {
  const found = /^(<=|>=) (\d+(?:\.\d+)?)$/.exec(target ?? "");
  if (!found) return undefined;
  return found[1] === "<=" ? value <= Number(found[2]) : value >= Number(found[2]);
}
