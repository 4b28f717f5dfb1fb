import { describe, expect, it } from "vitest";
import type { Plan } from "../model/change.ts";
import type { JobKey } from "../model/ids.ts";
import type { DesiredJob, InventoryEntry, LiveJob } from "../model/job.ts";
import { resolveDesired } from "./desired.ts";
import { plan } from "./plan.ts";
import { answer, filesOf, given, MARK, recorded, running, wanted } from "./plan-fixtures.ts";
import type { PlanInput } from "./plan-input.ts";

const WEB = "apps/web" as JobKey;
const ONE = { n: 1 };
const TWO = { n: 2 };
const FIELDS = [{ path: "spec", from: TWO, to: ONE }];

/** A plan in one line a job: what is done to it, and why. */
function shown({ changes, unchanged, refused, forgotten }: Plan): string[] {
  return [
    ...changes.map((one) => `${one.kind} ${one.key}${one.kind === "prune" ? "" : ` (${one.cause})`}`),
    ...unchanged.map((key) => `unchanged ${key}`),
    ...refused.map((one) => `refused ${one.key}: ${one.reason}`),
    ...forgotten.map((key) => `forgotten ${key}`),
  ];
}

interface Case {
  readonly job?: DesiredJob;
  readonly live?: LiveJob;
  readonly made?: InventoryEntry;
  readonly with?: Partial<Parameters<typeof given>[0]>;
  readonly does: string[];
}

const CASES: Record<string, Case> = {
  "a job that is nowhere is created": { does: ["create apps/web (revision)"] },
  "a job that was there is created again": { made: recorded(WEB), does: ["create apps/web (drift)"] },
  "a job that was there with another spec is created for the revision": {
    made: recorded(WEB, TWO),
    does: ["create apps/web (revision)"],
  },
  "a job that is gone is only reported where drift is not healed": {
    made: recorded(WEB),
    with: { heal: () => false },
    does: ["refused apps/web: Missing"],
  },
  "a new spec is sent even where drift is not healed": {
    live: running("web", TWO),
    made: recorded(WEB, TWO),
    with: { heal: () => false },
    does: ["update apps/web (revision)"],
  },
  "a job as it was left is not compared": {
    live: running("web", TWO),
    made: recorded(WEB, ONE),
    with: {
      compare() {
        throw new Error("a version that did not move needs no comparing");
      },
    },
    does: ["unchanged apps/web"],
  },
  "a job that moved and still says the same is unchanged": {
    live: running("web", ONE, { version: "v2" }),
    made: recorded(WEB),
    does: ["unchanged apps/web"],
  },
  "a job that moved is drift": {
    live: running("web", TWO, { version: "v2" }),
    made: recorded(WEB),
    does: ["update apps/web (drift)"],
  },
  "a job that never was healthy is compared": {
    live: running("web", TWO),
    made: recorded(WEB, ONE, { version: undefined }),
    does: ["update apps/web (drift)"],
  },
  "drift is only reported where it is not healed": {
    live: running("web", TWO, { version: "v2" }),
    made: recorded(WEB),
    with: { heal: (key) => key !== WEB },
    does: ["refused apps/web: Drifted"],
  },
  "our job without a record is updated to the revision": {
    live: running("web", TWO),
    does: ["update apps/web (revision)"],
  },
  "our job without a record that says the same is unchanged": {
    live: running("web"),
    does: ["unchanged apps/web"],
  },
  "a job without a mark is left alone": {
    live: running("web", TWO, { owner: undefined }),
    does: ["refused apps/web: NotOwned"],
  },
  "a job without a mark is left alone though we have a record": {
    live: running("web", TWO, { owner: undefined }),
    made: recorded(WEB),
    does: ["refused apps/web: NotOwned"],
  },
  "a job of another engine is left alone": {
    live: running("web", ONE, { owner: "engine/other" }),
    does: ["refused apps/web: NotOwned"],
  },
  "a job without a mark is taken over where the file says so": {
    job: wanted(WEB, ONE, { adopt: true }),
    live: running("web", ONE, { owner: undefined }),
    does: ["update apps/web (adopt)"],
  },
  "adopting says nothing about our own jobs": {
    job: wanted(WEB, ONE, { adopt: true }),
    live: running("web"),
    made: recorded(WEB),
    does: ["unchanged apps/web"],
  },
  "a suspended job is left alone": {
    live: running("web", TWO),
    with: { suspended: (key) => key === WEB },
    does: ["refused apps/web: Suspended"],
  },
  "a spec that failed is not sent again": {
    live: running("web", TWO),
    made: recorded(WEB, TWO),
    with: { held: new Map([[WEB, wanted(WEB).fingerprint]]) },
    does: ["refused apps/web: HeldAfterFailure"],
  },
  "a spec that failed is not created again": {
    with: { held: new Map([[WEB, wanted(WEB).fingerprint]]) },
    does: ["refused apps/web: HeldAfterFailure"],
  },
  "another spec than the one that failed is sent": {
    live: running("web", TWO),
    with: { held: new Map([[WEB, wanted(WEB, { n: 3 }).fingerprint]]) },
    does: ["update apps/web (revision)"],
  },
  "a target that did not answer is not planned for": {
    made: recorded(WEB),
    with: { live: {} },
    does: [],
  },
  "a job that was not asked for is not planned for": {
    made: recorded(WEB),
    with: { live: { apps: answer([], () => false) } },
    does: [],
  },
  "a job out of scope is not planned for": { with: { scope: new Set(["apps/x" as JobKey]) }, does: [] },
  "a job in scope is planned for": { with: { scope: new Set([WEB]) }, does: ["create apps/web (revision)"] },
};

describe("a job that Git names", () => {
  it.each(Object.entries(CASES))("%s", (_name, { job = wanted(WEB), live, made, with: more, does }) => {
    const input = given({
      desired: resolveDesired(filesOf(job)),
      live: { apps: answer(live ? [live] : []) },
      made: made ? [made] : [],
      ...more,
    });
    expect(shown(plan(input))).toEqual(does);
  });

  it("carries the fields that differ, and what it was compared with", () => {
    const live = running("web", TWO, { version: "v2" });
    const desired = resolveDesired(filesOf(wanted(WEB, ONE, { ignore: ["instances"] })));
    const asked: unknown[] = [];
    const compare: PlanInput["compare"] = (...args) => {
      asked.push(args);
      return FIELDS;
    };
    const input = given({ desired, live: { apps: answer([live]) }, made: [recorded(WEB)], compare });
    expect(plan(input).changes).toEqual([
      { kind: "update", key: WEB, cause: "drift", desired: desired.jobs.get(WEB), live, fields: FIELDS },
    ]);
    expect(asked).toEqual([["apps", ONE, TWO, ["instances"]]]);
    expect(plan({ ...input, heal: () => false }).refused).toEqual([
      { key: WEB, reason: "Drifted", message: expect.stringMatching(/./), fields: FIELDS },
    ]);
  });
});

describe("a stalled job", () => {
  it("is neither changed nor removed", () => {
    const desired = resolveDesired(filesOf(wanted("apps/x"), wanted(WEB, ONE, { dependsOn: ["cron/gone"] })));
    expect([...desired.stalled.keys()]).toEqual([WEB]);
    const live = { apps: answer([running("web", TWO), running("x")]) };
    const input = given({ desired, live, made: [recorded(WEB), recorded("apps/x")] });
    expect(shown(plan(input))).toEqual(["unchanged apps/x"]);
  });
});

it("plans 10,000 jobs of which one moved as one change", () => {
  const keys = Array.from({ length: 10_000 }, (_, at) => `apps/j${at}`);
  const input = given({
    desired: resolveDesired(filesOf(...keys.map((key) => wanted(key)))),
    live: {
      apps: answer(
        keys.map((_, at) => running(`j${at}`, at === 77 ? TWO : ONE, at === 77 ? { version: "v2" } : {})),
      ),
    },
    made: keys.map((key) => recorded(key)),
  });
  const { changes, unchanged, refused, forgotten } = plan(input);
  expect(changes.map((change) => change.key)).toEqual(["apps/j77"]);
  expect([unchanged.length, refused, forgotten]).toEqual([9999, [], []]);
  expect(input.mark).toBe(MARK);
});
