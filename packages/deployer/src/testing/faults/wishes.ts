import type { SkippedFile } from "@sluice/core";
import fc from "fast-check";
import { job } from "../world.ts";

export const TARGETS = ["apps", "cron"] as const;
export type Target = (typeof TARGETS)[number];
/** A job of the id "foreign" exists in each target and is nobody's, so that a revision that names it must leave it alone. */
export const FOREIGN = "foreign";
const IDS = ["a", "b", "c", "d", FOREIGN] as const;
export const KEYS = TARGETS.flatMap((target) => IDS.map((id) => `${target}/${id}`));

/** A job as a revision wants it. */
export interface Wish {
  readonly image: number;
  /** In a folder below its target's, so that it moves from file to file. */
  readonly deep: boolean;
  readonly rollback: boolean;
  readonly keep: boolean;
}

/** What a revision holds. */
export interface Wanted {
  readonly jobs: Readonly<Record<string, Wish>>;
  /** Every job depends on the one before it, across targets. */
  readonly chained: boolean;
  /** The job whose file nobody can read, or is a link. */
  readonly broken: { readonly key: string; readonly how: "text" | "link" } | undefined;
  /** The policy of removals: the usual limit, a small one, or none at all. */
  readonly prune: "usual" | "one" | "never";
}

const wish = fc.record({
  image: fc.integer({ min: 1, max: 3 }),
  deep: fc.boolean(),
  rollback: fc.boolean(),
  keep: fc.nat(9).map((nth) => nth === 0),
});

export const wanted: fc.Arbitrary<Wanted> = fc.record({
  jobs: fc.dictionary(fc.constantFrom(...KEYS), wish, { minKeys: 1, maxKeys: 8, size: "max" }),
  chained: fc.boolean(),
  broken: fc.option(
    fc.record({ key: fc.constantFrom(...KEYS), how: fc.constantFrom("text" as const, "link" as const) }),
    { nil: undefined, freq: 5 },
  ),
  prune: fc.constantFrom("usual" as const, "usual" as const, "one" as const, "never" as const),
});

export const NOTHING: Wanted = { jobs: {}, chained: false, broken: undefined, prune: "usual" };

/** The keys of a revision, those first that others wait for. */
export function keysOf({ jobs }: Wanted): string[] {
  return KEYS.filter((key) => jobs[key] !== undefined);
}

/** The revision as files, and as what the mirror leaves out. */
export function filesOf(one: Wanted): { files: Record<string, string>; skipped: SkippedFile[] } {
  const keys = keysOf(one).filter((key) => key !== one.broken?.key);
  const files: Record<string, string> = { "deploy.yaml": policyOf(one) };
  for (const [at, key] of keys.entries()) {
    const { image, deep, rollback, keep } = one.jobs[key] ?? { image: 0 };
    const before = keys[at - 1];
    const sluice = {
      ...(one.chained && before ? { dependsOn: [before] } : {}),
      ...(rollback ? { onFailure: "rollback" } : {}),
      ...(keep ? { prune: "never" } : {}),
    };
    files[fileOf(key, deep === true)] = job(idOf(key), { image, sluice });
  }
  if (!one.broken) return { files, skipped: [] };
  const path = fileOf(one.broken.key, one.jobs[one.broken.key]?.deep === true);
  if (one.broken.how === "text") return { files: { ...files, [path]: "id: [" }, skipped: [] };
  return { files, skipped: [{ path: path as never, kind: "symlink" }] };
}

function fileOf(key: string, deep: boolean): string {
  const [target, id] = key.split("/");
  return `${target}/${deep ? "deep/" : ""}${id}.yaml`;
}

export function idOf(key: string): string {
  return key.split("/")[1] ?? "";
}

export function targetOf(key: string): Target {
  return key.startsWith("apps/") ? "apps" : "cron";
}

function policyOf({ prune }: Wanted): string {
  if (prune === "usual") return "{}";
  return prune === "never" ? "prune: never" : "prune: { maxJobs: 1, maxPercent: 0 }";
}
