import { envName } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { type GuardInput, type GuardRules, judgeListing, mostAtOnce } from "./guard.ts";
import { branchEnvironment } from "./name.ts";
import type { BranchEntry } from "./registry.ts";

const MINUTE = 60_000;
const rules: GuardRules = {
  environment: envName("preview"),
  matches: (branch) => branch.startsWith("f"),
  usable: (branch) => !branch.includes("~"),
  mostBranches: 40,
  graceMs: 10 * MINUTE,
  listings: 3,
};
const nameOf = (branch: string) => branchEnvironment("preview", branch);
const since = new Date(0).toISOString();
const entry = (branch: string, state: BranchEntry["state"] = "present"): BranchEntry => ({
  branch,
  name: nameOf(branch),
  state,
  since,
});
const input = (change: Partial<GuardInput>): GuardInput => ({
  entries: [],
  absences: new Map(),
  listing: ["main"],
  confirmed: new Set(),
  now: 100 * MINUTE,
  ...change,
});
/** Missing for so long, and in so many listings before this one. */
const missing = (branches: readonly string[], minutes = 10, listings = 2) =>
  new Map(branches.map((one) => [nameOf(one), { firstAt: (100 - minutes) * MINUTE, listings }]));
const names = (entries: readonly BranchEntry[]) => entries.map(({ branch }) => branch);
const many = (count: number) => Array.from({ length: count }, (_, at) => `f${at}`);

describe("a listing of branches", () => {
  it("brings those that match, in order, and no others", () => {
    const { entries, removable } = judgeListing(input({ listing: ["main", "fb", "fa", "other"] }), rules);
    expect(entries).toEqual(
      ["fa", "fb"].map((one) => ({ ...entry(one), since: new Date(100 * MINUTE).toISOString() })),
    );
    expect(removable).toEqual([]);
  });

  it("leaves out, with a reason, what cannot be asked for and what is too many", () => {
    const few = { ...rules, mostBranches: 2 };
    const found = judgeListing(input({ entries: [entry("f1")], listing: ["f~", "f1", "f3", "f2"] }), few);
    expect(names(found.entries)).toEqual(["f1", "f2"]);
    expect(found.leftOut).toEqual([
      { branch: "f3", why: "there are 2 already (source.mostBranches)" },
      { branch: "f~", why: "its name is none that can be asked for" },
    ]);
  });

  it("never gives one environment to two branches: who has it keeps it", () => {
    const holder = { ...entry("fx"), name: nameOf("fy") };
    const found = judgeListing(input({ entries: [holder], listing: ["fx", "fy"] }), rules);
    expect(found.entries).toEqual([holder]);
    expect(found.leftOut).toEqual([{ branch: "fy", why: "preview-fy is the environment of the branch fx" }]);
  });

  it("that is empty changes nothing and starts every count anew", () => {
    const entries = [entry("fa"), entry("fb", "absent")];
    const found = judgeListing(input({ entries, listing: [], absences: missing(["fa", "fb"]) }), rules);
    expect(found).toEqual({
      entries,
      absences: new Map(),
      removable: [],
      tooMany: [],
      unnamed: [],
      leftOut: [],
    });
  });

  it.each([
    ["long enough, often enough", 10, 2, ["fa"]],
    ["often, but not for long enough", 9.9, 50, []],
    ["for long, but not often enough", 1_000, 1, []],
    ["only now", 0, 0, []],
  ])("lets go of a branch that is missing %s", (_, minutes, listings, removable) => {
    const absences = missing(["fa"], minutes, listings);
    const found = judgeListing(input({ entries: [entry("fa", "absent")], absences }), rules);
    expect(names(found.removable)).toEqual(removable);
    expect(found.entries).toEqual([entry("fa", "absent")]);
    expect(found.absences.get(nameOf("fa"))?.listings).toBe(listings + 1);
  });

  it.each(["absent", "removing"] as const)(
    "with a branch that was %s resumes it, its count forgotten",
    (state) => {
      const entries = [entry("fa", state)];
      const found = judgeListing(input({ entries, listing: ["fa"], absences: missing(["fa"]) }), rules);
      expect(found.entries).toEqual([{ ...entry("fa"), since: new Date(100 * MINUTE).toISOString() }]);
      expect(found).toMatchObject({ absences: new Map(), removable: [] });
    },
  );

  it("counts anew for a leader that finds a removal begun by another", () => {
    const found = judgeListing(input({ entries: [entry("fa", "removing")] }), rules);
    expect(found.entries).toEqual([entry("fa", "absent")]);
    expect(found.removable).toEqual([]);
  });

  it("lets a person's word shorten the grace time, but not the number of listings", () => {
    const confirmed = new Set([nameOf("fa"), nameOf("fb")]);
    const absences = new Map([...missing(["fa"], 0, 2), ...missing(["fb"], 0, 1)]);
    const entries = [entry("fa", "absent"), entry("fb", "absent")];
    expect(names(judgeListing(input({ entries, absences, confirmed }), rules).removable)).toEqual(["fa"]);
  });

  it("keeps a branch that is there but that no pattern names any more, until a person says otherwise", () => {
    const entries = [entry("x", "absent")];
    const asked = input({ entries, listing: ["main", "x"], absences: missing(["x"], 1_000, 50) });
    expect(judgeListing(asked, rules)).toMatchObject({ removable: [], unnamed: entries });
    const confirmed = judgeListing({ ...asked, confirmed: new Set([nameOf("x")]) }, rules);
    expect(confirmed).toMatchObject({ removable: entries, unnamed: [] });
  });

  it.each([
    [5, 5, 5],
    [6, 6, 0],
    [6, 5, 5],
    [30, 6, 6],
    [30, 7, 0],
  ])("of %i environments lets at most so many go at once: of %i missing %i", (all, gone, removed) => {
    const branches = many(all);
    const lost = branches.slice(0, gone);
    const entries = branches.map((one) => entry(one, lost.includes(one) ? "absent" : "present"));
    const listing = ["main", ...branches.slice(gone)];
    const found = judgeListing(input({ entries, listing, absences: missing(lost) }), rules);
    expect(names(found.removable)).toEqual(lost.slice(0, removed));
    expect(names(found.tooMany)).toEqual(removed === 0 ? lost : []);
  });

  it("counts those that are missing but not due yet as vanished at once, and those a person named not", () => {
    const branches = many(7);
    const entries = branches.map((one) => entry(one, "absent"));
    const absences = new Map([...missing(branches.slice(0, 3)), ...missing(branches.slice(3), 1, 1)]);
    const found = judgeListing(input({ entries, absences }), rules);
    expect(found.removable).toEqual([]);
    expect(names(found.tooMany)).toEqual(["f0", "f1", "f2"]);
    const confirmed = new Set(["f0", "f6"].map(nameOf));
    expect(names(judgeListing(input({ entries, absences, confirmed }), rules).removable)).toEqual([
      "f0",
      "f1",
      "f2",
    ]);
  });

  it.each([
    [0, 5],
    [25, 5],
    [29, 5],
    [30, 6],
    [100, 20],
  ])("of %i environments, %i may go at once", (all, most) => {
    expect(mostAtOnce(all)).toBe(most);
  });
});
