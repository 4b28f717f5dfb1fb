import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Plan } from "../model/change.ts";
import { fingerprintOf } from "../model/fingerprint.ts";
import { type Fingerprint, type JobId, type JobKey, splitJobKey, type TargetName } from "../model/ids.ts";
import type { InventoryEntry, LiveJob } from "../model/job.ts";
import { resolveDesired } from "./desired.ts";
import { plan } from "./plan.ts";
import { answer, filesOf, given, MARK, recorded, running, unreadable, wanted } from "./plan-fixtures.ts";
import type { PlanInput } from "./plan-input.ts";

const TARGETS = ["apps", "cron"] as const;
const IDS = ["a", "b", "c", "d", "e", "f"] as const;
const KEYS = TARGETS.flatMap((target) => IDS.map((id) => `${target}/${id}` as JobKey));

/** Everything that may be true of one job, told by Git, by the scheduler, by our records and by people. */
const job = fc.record({
  git: fc.constantFrom("absent", "absent", "named", "named", "adopt", "named", "stalled"),
  spec: fc.constantFrom(1, 2),
  live: fc.option(
    fc.record({
      owner: fc.constantFrom(MARK, "engine/other", undefined),
      n: fc.constantFrom(1, 2, 3),
      moved: fc.boolean(),
    }),
  ),
  made: fc.option(fc.record({ n: fc.constantFrom(1, 2), prune: fc.constantFrom("auto", "never") })),
  covered: fc.boolean(),
  held: fc.boolean(),
  suspended: fc.boolean(),
  heal: fc.boolean(),
});
type Job = typeof job extends fc.Arbitrary<infer T> ? T : never;

const world = fc.record({
  jobs: fc.tuple(...KEYS.map(() => job)) as fc.Arbitrary<Job[]>,
  silent: fc.subarray([...TARGETS]),
  broken: fc.subarray([...TARGETS]),
  confirmed: fc.subarray([...TARGETS]),
  files: fc.constantFrom(undefined, 0, 1),
  maxJobs: fc.integer({ min: 0, max: 3 }),
  maxShare: fc.constantFrom(0, 0.2, 0.5),
  scope: fc.option(fc.subarray(KEYS)),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function of({ jobs }: World, key: JobKey): Job {
  return jobs[KEYS.indexOf(key)] as Job;
}

function inputOf(drawn: World): PlanInput {
  const facts = KEYS.map((key) => ({ key, ...splitJobKey(key), ...of(drawn, key) }));
  const files = facts
    .filter((one) => one.git !== "absent")
    .map((one) =>
      wanted(
        one.key,
        { n: one.spec },
        { adopt: one.git === "adopt", dependsOn: one.git === "stalled" ? [one.key] : [] },
      ),
    );
  const live: Record<string, ReturnType<typeof answer>> = {};
  for (const target of TARGETS) {
    if (drawn.silent.includes(target)) continue;
    const here = facts.filter((one) => one.target === target);
    const jobs = here.flatMap(({ id, live: now }) =>
      now ? [running(id, { n: now.n }, { owner: now.owner, version: now.moved ? "v2" : "v1" })] : [],
    );
    live[target] = answer(jobs, (id) => here.some((one) => one.id === id && one.covered));
  }
  return given({
    desired: resolveDesired(
      new Map([...filesOf(...files), ...drawn.broken.map((target) => unreadable(`${target}/broken.yaml`))]),
    ),
    live,
    made: facts.flatMap((one) =>
      one.made ? [recorded(one.key, { n: one.made.n }, { prune: one.made.prune })] : [],
    ),
    scope: drawn.scope ? new Set(drawn.scope) : "all",
    held: new Map<JobKey, Fingerprint>(
      facts.flatMap((one) => (one.held ? [[one.key, fingerprintOf({ n: one.spec })] as const] : [])),
    ),
    suspended: (key) => of(drawn, key).suspended,
    heal: (key) => of(drawn, key).heal,
    prune: {
      ...(drawn.files === undefined ? {} : { files: drawn.files }),
      maxJobs: drawn.maxJobs,
      maxShare: drawn.maxShare,
      confirmed: new Set(drawn.confirmed as string[] as TargetName[]),
    },
  });
}

function liveOf(input: PlanInput, key: JobKey): LiveJob | undefined {
  const { target, id } = splitJobKey(key);
  return input.live.get(target)?.jobs.get(id);
}

function always(rule: (input: PlanInput, made: Plan, drawn: World) => void) {
  fc.assert(
    fc.property(world, (drawn) => {
      const input = inputOf(drawn);
      rule(input, plan(input), drawn);
    }),
    { numRuns: 500 },
  );
}

/** The schedulers and the inventory once everything the plan says was done. */
function applied(input: PlanInput, made: Plan): PlanInput {
  const live = new Map([...input.live].map(([target, listing]) => [target, new Map(listing.jobs)] as const));
  const inventory = new Map<JobKey, InventoryEntry>(input.inventory);
  for (const change of made.changes) {
    const { target, id } = splitJobKey(change.key);
    if (change.kind === "prune") {
      live.get(target)?.delete(id);
      inventory.delete(change.key);
    } else {
      live.get(target)?.set(id, running(id, change.desired.spec, { version: "v9" }));
      inventory.set(change.key, recorded(change.key, change.desired.spec, { version: "v9" }));
    }
  }
  for (const key of made.forgotten) inventory.delete(key);
  return {
    ...input,
    inventory,
    live: new Map(
      [...input.live].map(([target, listing]) => [
        target,
        { jobs: live.get(target) ?? new Map<JobId, LiveJob>(), covers: listing.covers },
      ]),
    ),
  };
}

describe("whatever Git, the schedulers, the records and people say, a plan", () => {
  it("neither changes nor removes what another made, unless its file adopts it", () => {
    always((input, { changes }) => {
      for (const change of changes) {
        const live = liveOf(input, change.key);
        if (live && live.owner !== MARK)
          expect(change).toMatchObject({
            kind: "update",
            cause: "adopt",
            desired: { options: { adopt: true } },
          });
      }
    });
  });

  it("never removes or forgets a job that Git names, stalled or not", () => {
    always((_input, { changes, forgotten }, drawn) => {
      const gone = [...changes.filter((one) => one.kind === "prune").map((one) => one.key), ...forgotten];
      expect(gone.filter((key) => of(drawn, key).git !== "absent")).toEqual([]);
    });
  });

  it("never writes a stalled, held or suspended job, nor one that Git does not name", () => {
    always((_input, { changes }, drawn) => {
      for (const change of changes) {
        const facts = of(drawn, change.key);
        expect(facts.suspended).toBe(false);
        if (change.kind === "prune") continue;
        expect([facts.git, facts.held]).toEqual([expect.stringMatching(/^(named|adopt)$/), false]);
      }
    });
  });

  it("says nothing of a job whose target is silent or that was not asked for", () => {
    always((_input, { changes, unchanged, refused, forgotten }, drawn) => {
      const said = [
        ...changes.map((one) => one.key),
        ...unchanged,
        ...refused.map((one) => one.key),
        ...forgotten,
      ];
      const unknown = said.filter(
        (key) => drawn.silent.includes(splitJobKey(key).target as never) || !of(drawn, key).covered,
      );
      expect(unknown).toEqual([]);
      expect(new Set(said).size).toBe(said.length);
    });
  });

  it("removes only what is in the inventory, bears our mark, and was asked for", () => {
    always((input, { changes }, drawn) => {
      for (const change of changes) {
        if (change.kind !== "prune") continue;
        expect(input.inventory.get(change.key)).toBe(change.entry);
        expect(liveOf(input, change.key)).toBe(change.live);
        expect([change.live.owner, change.entry.prune, of(drawn, change.key).covered]).toEqual([
          MARK,
          "auto",
          true,
        ]);
      }
    });
  });

  it("removes nothing where a file has a problem, or where no job is left and nobody agreed or no file is there", () => {
    always((input, { changes }, drawn) => {
      const pruned = changes.filter((one) => one.kind === "prune");
      const agreed: readonly string[] = drawn.files ? drawn.confirmed : [];
      if (input.desired.jobs.size === 0)
        expect(pruned.filter((one) => !agreed.includes(splitJobKey(one.key).target))).toEqual([]);
      expect(pruned.filter((one) => input.desired.broken.has(splitJobKey(one.key).target))).toEqual([]);
    });
  });

  it("stays within the limit of each target for which nobody said yes", () => {
    always((input, { changes }, drawn) => {
      for (const target of TARGETS) {
        if (drawn.confirmed.includes(target)) continue;
        const pruned = changes.filter(
          (one) => one.kind === "prune" && one.key.startsWith(`${target}/`),
        ).length;
        const owned = [...input.inventory.keys()].filter((key) => key.startsWith(`${target}/`)).length;
        expect(pruned).toBeLessThanOrEqual(Math.max(drawn.maxJobs, owned * drawn.maxShare));
      }
    });
  });

  it("looks at no job out of scope, removals apart", () => {
    always(({ scope }, { changes, unchanged }) => {
      if (scope === "all") return;
      const said = [...changes.filter((one) => one.kind !== "prune").map((one) => one.key), ...unchanged];
      expect(said.filter((key) => !scope.has(key))).toEqual([]);
    });
  });

  it("is the same again for the same input", () => {
    always((input, made) => {
      expect(plan(input)).toEqual(made);
    });
  });

  it("leaves nothing to do once it was carried out, and then for ever", () => {
    always((input, made) => {
      const once = applied(input, made);
      const second = plan(once);
      // What was created counts towards the share that may be removed, so a removal may become due, but never a write.
      expect(second.changes.filter((one) => one.kind !== "prune")).toEqual([]);
      expect(second.forgotten).toEqual([]);
      const third = plan(applied(once, second));
      expect([third.changes, third.forgotten]).toEqual([[], []]);
    });
  });
});
