import { describe, expect, it } from "vitest";
import type { JobKey, TargetName } from "../model/ids.ts";
import { resolveDesired } from "./desired.ts";
import { plan } from "./plan.ts";
import { answer, filesOf, given, recorded, running, unreadable, wanted } from "./plan-fixtures.ts";
import type { PlanInput } from "./plan-input.ts";

const KEPT = "apps/kept";
const CRON = "cron" as TargetName;

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `old-${at}`);
}

/** A revision that names only `apps/kept`, while these ids are in `apps` and in the inventory too. */
type Given = Parameters<typeof given>[0];

function after(gone: readonly string[], more: Partial<Given> = {}): PlanInput {
  return given({
    desired: resolveDesired(filesOf(wanted(KEPT))),
    live: { apps: answer([running("kept"), ...gone.map((id) => running(id))]) },
    made: [recorded(KEPT), ...gone.map((id) => recorded(`apps/${id}`))],
    ...more,
  });
}

function outcome(input: PlanInput) {
  const { changes, refused, forgotten } = plan(input);
  expect(changes.filter((change) => change.kind !== "prune")).toEqual([]);
  return {
    pruned: changes.map((one) => one.key),
    refused: refused.map((one) => `${one.key} ${one.reason}`),
    forgotten,
  };
}

describe("a job that Git does not name any more", () => {
  it("is removed when it bears our mark and is in the inventory", () => {
    const input = after(["old"]);
    expect(plan(input).changes).toEqual([
      { kind: "prune", key: "apps/old", entry: recorded("apps/old"), live: running("old") },
    ]);
    expect(outcome(input)).toEqual({ pruned: ["apps/old"], refused: [], forgotten: [] });
  });

  it("is left alone when it bears our mark but is not in the inventory", () => {
    const input = after([], {
      live: { apps: answer([running("kept"), running("old")]) },
    });
    expect(outcome(input)).toEqual({ pruned: [], refused: [], forgotten: [] });
  });

  it.each([undefined, "engine/other"])("is forgotten, not removed, when its mark is %s", (owner) => {
    const live = answer([running("kept"), running("old", {}, { owner })]);
    const input = after(["old"], { live: { apps: live } });
    expect(outcome(input)).toEqual({ pruned: [], refused: [], forgotten: ["apps/old"] });
  });

  it("is forgotten when it is gone", () => {
    const input = after(["old"], { live: { apps: answer([running("kept")]) } });
    expect(outcome(input)).toEqual({ pruned: [], refused: [], forgotten: ["apps/old"] });
  });

  it("is neither removed nor forgotten while its target does not answer", () => {
    expect(outcome(after(["old"], { live: {} }))).toEqual({ pruned: [], refused: [], forgotten: [] });
  });

  it("is neither removed nor forgotten when it was not asked for", () => {
    const live = answer([running("kept"), running("old")], (id) => id === "kept");
    const input = after(["old"], { live: { apps: live } });
    expect(outcome(input)).toEqual({ pruned: [], refused: [], forgotten: [] });
  });

  it("is removed whatever the scope is", () => {
    expect(outcome(after(["old"], { scope: new Set() })).pruned).toEqual(["apps/old"]);
  });

  it("stays where its file said so, and while it is suspended", () => {
    const input = after(["a", "b", "c"], { suspended: (key) => key === "apps/b" });
    const inventory = new Map(input.inventory).set(
      "apps/a" as JobKey,
      recorded("apps/a", {}, { prune: "never" }),
    );
    expect(outcome({ ...input, inventory })).toEqual({
      pruned: ["apps/c"],
      refused: ["apps/a PruneRefused", "apps/b Suspended"],
      forgotten: [],
    });
  });
});

describe("a revision that may be a mistake", () => {
  const NOTHING = { desired: resolveDesired(new Map()) };
  const LIMITS = { maxJobs: 5, maxShare: 1, confirmed: new Set<TargetName>() };
  const YES = { ...LIMITS, confirmed: new Set(["apps" as TargetName]) };

  it.each([
    ["no file", { ...LIMITS, files: 0 }],
    ["nobody knows how many files", LIMITS],
    ["no file, and a person said yes", { ...YES, files: 0 }],
    ["nobody knows how many files, and a person said yes", YES],
  ])("removes nothing when it holds %s", (_, prune) => {
    expect(outcome(after(["old"], { ...NOTHING, prune }))).toEqual({
      pruned: [],
      refused: ["apps/kept PruneRefused", "apps/old PruneRefused"],
      forgotten: [],
    });
  });

  it("asks when it holds files but names no job at all, however few would go", () => {
    expect(outcome(after(["old"], { ...NOTHING, prune: { ...LIMITS, files: 1 } }))).toEqual({
      pruned: [],
      refused: ["apps/kept PrunePending", "apps/old PrunePending"],
      forgotten: [],
    });
    expect(outcome(after(["old"], { ...NOTHING, prune: { ...YES, files: 1 } }))).toEqual({
      pruned: ["apps/kept", "apps/old"],
      refused: [],
      forgotten: [],
    });
  });

  it("is not taken at its word where the only files are ones that cannot be read", () => {
    const desired = resolveDesired(new Map([unreadable("apps/bad.yaml")]));
    expect(outcome(after(["old"], { desired, prune: { ...YES, files: 1 } })).pruned).toEqual([]);
  });

  it("removes nothing from a target with a file that cannot be read, and from others it does", () => {
    const desired = resolveDesired(new Map([...filesOf(wanted(KEPT)), unreadable("apps/bad file.yaml")]));
    const live = {
      apps: answer([running("kept"), running("old")]),
      cron: answer([running("old")]),
    };
    const made = [recorded(KEPT), recorded("apps/old"), recorded("cron/old")];
    const input = given({ desired, live, made });
    expect(outcome(input)).toEqual({
      pruned: ["cron/old"],
      refused: ["apps/old PruneRefused"],
      forgotten: [],
    });
    expect(plan(input).refused[0]?.message).toBe("apps/bad file.yaml has a problem and might hold this job");
  });

  it("is not excused from that by a person's yes", () => {
    const desired = resolveDesired(new Map([...filesOf(wanted(KEPT)), unreadable("apps/bad.yaml")]));
    const prune = { maxJobs: 5, maxShare: 1, confirmed: new Set(["apps" as TargetName]) };
    expect(outcome(after(["old"], { desired, prune })).pruned).toEqual([]);
  });
});

describe("the limit", () => {
  const policy = { maxJobs: 5, maxShare: 0.2, confirmed: new Set<TargetName>() };

  it.each([
    ["5 of 6 by number", 5, 0, true],
    ["6 of 7 by number", 6, 0, false],
    ["10 of 50 by share", 10, 39, true],
    ["11 of 50 by share", 11, 38, false],
    ["20 of 100 by share", 20, 79, true],
  ])("%s: %#", (_name, gone, others, removed) => {
    const kept = ["kept", ...Array.from({ length: others }, (_, at) => `job-${at}`)];
    const input = given({
      desired: resolveDesired(filesOf(...kept.map((id) => wanted(`apps/${id}`)))),
      live: { apps: answer([...kept, ...ids(gone)].map((id) => running(id))) },
      made: [...kept, ...ids(gone)].map((id) => recorded(`apps/${id}`)),
      prune: policy,
    });
    const result = outcome(input);
    expect([result.pruned.length, result.refused.length]).toEqual(removed ? [gone, 0] : [0, gone]);
    if (!removed)
      expect(new Set(plan(input).refused.map((one) => one.reason))).toEqual(new Set(["PrunePending"]));
  });

  it("says how many are gone and how many may be removed", () => {
    expect(plan(after(ids(6))).refused[0]).toEqual({
      key: "apps/old-0",
      reason: "PrunePending",
      message: "6 of 7 jobs are gone from Git and at most 5 are removed unasked",
    });
  });

  it("is each target's own", () => {
    const input = after(ids(5));
    const made = [...input.inventory.values(), ...ids(6).map((id) => recorded(`cron/${id}`))];
    const inventory = new Map(made.map((entry) => [entry.key, entry]));
    const live = new Map(input.live).set(CRON, answer(ids(6).map((id) => running(id))));
    const result = outcome({ ...input, inventory, live });
    expect(result.pruned).toEqual(ids(5).map((id) => `apps/${id}`));
    expect(result.refused).toEqual(ids(6).map((id) => `cron/${id} PrunePending`));
  });

  it("gives way to a person's yes, for that target only", () => {
    const confirmed = new Set(["apps" as TargetName]);
    expect(outcome(after(ids(6), { prune: { ...policy, confirmed } })).pruned).toHaveLength(6);
    expect(outcome(after(ids(6), { prune: { ...policy, confirmed: new Set([CRON]) } })).pruned).toEqual([]);
  });

  it("may be set, or be never, for one target", () => {
    const apps = "apps" as TargetName;
    const own = { ...policy, targets: new Map([[apps, { maxJobs: 1, maxShare: 0 }]]) };
    expect(outcome(after(ids(2), { prune: own })).pruned).toEqual([]);
    expect(outcome(after(ids(1), { prune: own })).pruned).toEqual(["apps/old-0"]);
    const never = { ...policy, targets: new Map([[apps, "never" as const]]), confirmed: new Set([apps]) };
    expect(outcome(after(ids(1), { prune: never })).refused).toEqual(["apps/old-0 PruneRefused"]);
  });

  it("does not count jobs that stay anyway, or they would block every removal for ever", () => {
    const input = after([...ids(6), "old"]);
    const inventory = new Map(
      [...input.inventory].map(([key, entry]) => [
        key,
        key.startsWith("apps/old-") ? { ...entry, prune: "never" as const } : entry,
      ]),
    );
    expect(outcome({ ...input, inventory }).pruned).toEqual(["apps/old"]);
  });

  it("counts jobs that were not asked for, or many small rounds would evade it", () => {
    const live = answer(
      ids(6).map((id) => running(id)),
      (id) => id === "old-0",
    );
    const input = after(ids(6), { live: { apps: live } });
    expect(outcome(input)).toEqual({ pruned: [], refused: ["apps/old-0 PrunePending"], forgotten: [] });
  });
});
