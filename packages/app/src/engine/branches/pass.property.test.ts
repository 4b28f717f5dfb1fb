import { type ErrorCode, SluiceError } from "@sluice/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mostAtOnce } from "./guard.ts";
import { type Listing, MINUTE, type PassBench, passBench, RULES } from "./pass-bench.ts";

const BRANCHES = Array.from({ length: 9 }, (_, at) => `f${at}`);
const BESIDE = [
  "sluice/preview-f1/control/suspend",
  "sluice/preview-f10/files/a",
  "sluice/production/files/a",
];

interface Step {
  readonly first: Listing;
  /** The last look before a removal. */
  readonly last: Listing;
  readonly minutes: number;
  readonly confirm: string | undefined;
  readonly jobs: string | undefined;
  readonly takeOver: boolean;
  /** Every so many calls to the KV fail, before or after they were applied. */
  readonly fault: { readonly every: number; readonly code: ErrorCode | `after:${ErrorCode}` } | undefined;
}

const anyOf = (weighted: readonly string[]) => fc.constantFrom(...weighted);
const listing: fc.Arbitrary<Listing> = fc.oneof(
  { weight: 3, arbitrary: fc.subarray(BRANCHES, { minLength: 5 }).map((some) => ["main", ...some]) },
  { weight: 4, arbitrary: fc.subarray(BRANCHES, { maxLength: 4 }).map((some) => ["main", ...some]) },
  { weight: 3, arbitrary: fc.constant(["main", ...BRANCHES.slice(3)]) },
  { weight: 1, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: fc.constant(new SluiceError("GIT_FAILED", "told to fail")) },
);
const step: fc.Arbitrary<Step> = fc
  .record({
    first: listing,
    other: fc.option(listing, { nil: undefined, freq: 6 }),
    minutes: fc.constantFrom(0, 1, 4, 6, 30),
    confirm: fc.option(anyOf(BRANCHES), { nil: undefined, freq: 4 }),
    jobs: fc.option(anyOf(BRANCHES), { nil: undefined, freq: 9 }),
    takeOver: fc.integer({ min: 0, max: 12 }).map((one) => one === 0),
    fault: fc.option(
      fc.record({
        every: fc.integer({ min: 2, max: 9 }),
        code: fc.constantFrom("KV_UNREACHABLE" as const, "after:KV_UNREACHABLE" as const),
      }),
      { nil: undefined, freq: 5 },
    ),
  })
  .map(({ other, ...rest }) => ({ ...rest, last: other ?? rest.first }));
/** Listings come in runs, or nothing would ever be missing for long. */
const steps = fc
  .array(fc.tuple(step, fc.integer({ min: 1, max: 4 })), { minLength: 2, maxLength: 10 })
  .map((runs) => runs.flatMap(([one, times]) => Array.from({ length: times }, () => one)));

/** Each listing that the present leader saw: when, and which branches; undefined: it failed or was empty. */
type History = { readonly at: number; readonly branches: readonly string[] | undefined }[];

function wholeOf(one: Listing): readonly string[] | undefined {
  return Array.isArray(one) && one.length > 0 ? (one as readonly string[]) : undefined;
}

function missingSince(history: History, branch: string): { listings: number; since: number } {
  const run: number[] = [];
  for (const { at, branches } of [...history].reverse()) {
    if (!branches || branches.includes(branch)) break;
    run.unshift(at);
  }
  return { listings: run.length, since: run[0] ?? Number.POSITIVE_INFINITY };
}

const rootOf = (branch: string) => `sluice/preview-${branch}/`;
const under = (keys: readonly string[], branch: string) =>
  keys.filter((key) => key.startsWith(rootOf(branch)));

async function runStep(bench: PassBench, one: Step, history: History, allowed: ReadonlySet<string>) {
  const before = bench.keys();
  const environments = bench.registry().length;
  const { fault } = one;
  bench.kv.fault = fault && ((_, number) => (number % fault.every === 0 ? fault.code : undefined));
  await bench.pass(one.first, one.last).catch((error: unknown) => {
    if (!(error instanceof SluiceError)) throw error;
  });
  bench.kv.fault = undefined;
  const after = new Set(bench.keys());
  const touched = BRANCHES.filter((branch) => under(before, branch).some((key) => !after.has(key)));
  const now = bench.clock.now();
  for (const branch of touched) {
    const { listings, since } = missingSince(history, branch);
    expect(listings).toBeGreaterThanOrEqual(RULES.listings);
    expect(wholeOf(one.last)).toBeDefined();
    expect(wholeOf(one.last)).not.toContain(branch);
    expect(allowed.has(branch) || now - since >= RULES.graceMs).toBe(true);
    expect(under(before, branch).some((key) => key.includes("/inventory/"))).toBe(false);
  }
  const unasked = touched.filter((branch) => !allowed.has(branch));
  expect(unasked.length).toBeLessThanOrEqual(mostAtOnce(environments));
  for (const key of BESIDE) expect(after.has(key)).toBe(true);
}

describe("whatever the listings say and whichever of them fail", () => {
  it("nothing is removed but what was missing in enough whole listings in a row, for long enough or by a person's word", async () => {
    let removals = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const bench = await passBench();
        for (const key of BESIDE) bench.kv.set(key, "theirs");
        let history: History = [];
        const words = new Map<string, string>();
        for (const one of all) {
          if (one.takeOver) {
            bench.takeOver();
            history = [];
          }
          await bench.clock.advance(one.minutes * MINUTE);
          if (one.confirm) {
            bench.confirm(one.confirm);
            const entry = bench.registry().find(({ branch }) => branch === one.confirm);
            if (entry) words.set(one.confirm, entry.since);
          }
          if (one.jobs) bench.kv.set(`${bench.layoutOf(one.jobs).inventories}apps/web`, "{}");
          const allowed = new Set(
            bench.registry().flatMap(({ branch, since }) => (words.get(branch) === since ? [branch] : [])),
          );
          history.push({ at: bench.clock.now(), branches: wholeOf(one.first) });
          await runStep(bench, one, history, allowed);
          for (const { branch, state } of bench.registry()) if (state === "present") bench.mirror(branch);
          removals += bench.sink.of("branches.removed").length;
        }
      }),
      { numRuns: 200 },
    );
    // Otherwise the rule would hold because nothing is ever removed.
    expect(removals).toBeGreaterThan(50);
  });
});
