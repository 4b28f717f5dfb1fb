import { type EnvName, envName } from "@sluice/core";
import { type MemoryKv, memoryKv } from "@sluice/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../config/load.ts";
import { type Closers, closers } from "../closers.ts";
import { environmentsOf } from "../environment.ts";
import { type LiveEnvironments, liveEnvironments } from "./live.ts";
import { patternedEnvironments } from "./patterned.ts";
import { type BranchEntry, encodeRegistry } from "./registry.ts";

const KEY = "sluice/preview/branches";
const settings = {
  environments: {
    production: { source: { repository: "/srv/deploy.git" } },
    preview: {
      owner: "team",
      source: { repository: "/srv/deploy.git", branches: ["feature/*", "r?"], path: "env" },
      targets: { apps: { type: "marathon" } },
    },
  },
};

let kv: MemoryKv;
let closing: Closers;
let live: LiveEnvironments;
beforeEach(() => {
  kv = memoryKv();
  closing = closers();
  const config = parseConfig(Buffer.from(JSON.stringify(settings)), "sluice.yaml");
  const context = {
    config,
    embedded: { consul: "", marathon: "", chronos: "" },
    clock: { now: () => 0, sleep: async () => undefined },
    random: () => 0.5,
    kindOf: undefined,
  };
  live = liveEnvironments({
    fixed: environmentsOf(config, context.embedded, context.clock, context.random),
    patterned: patternedEnvironments(context),
    kv,
    closing,
  });
});
afterEach(() => closing.closeAll());

const entry = (branch: string, state: BranchEntry["state"] = "present"): BranchEntry => ({
  branch,
  name: `preview-${branch}` as EnvName,
  state,
  since: "",
});
const write = (...entries: BranchEntry[]) => kv.set(KEY, encodeRegistry(entries));
/** Lets a watch of the KV in memory see what was written. */
async function settled() {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}
const names = () => live.all.map(({ name }) => name);

describe("the environments there are", () => {
  it("are those of the configuration and of the registry, but none that is being removed", async () => {
    expect(names()).toEqual(["production"]);
    write(entry("r1"), entry("r2", "absent"), entry("r3", "removing"));
    await expect.poll(names).toEqual(["production", "preview-r1", "preview-r2"]);
    write(entry("r2"));
    await expect.poll(names).toEqual(["production", "preview-r2"]);
    write();
    await expect.poll(names).toEqual(["production"]);
  });

  it("stay the same objects while they stay, for those who remember something of them", async () => {
    write(entry("r1"));
    await expect.poll(names).toContain("preview-r1");
    const before = live.all[1];
    write(entry("r1"), entry("r2"));
    await expect.poll(names).toContain("preview-r2");
    expect(live.all[1]).toBe(before);
  });

  it("stay where the registry is gone or cannot be read", async () => {
    const told: (readonly EnvName[])[] = [];
    live.follow((environments) => told.push(environments.map(({ name }) => name)));
    write(entry("r1"));
    await expect.poll(names).toContain("preview-r1");
    kv.set(KEY, "garbage");
    await settled();
    expect(names()).toContain("preview-r1");
    kv.unset(KEY);
    await settled();
    write(entry("r1"), entry("r2"));
    await expect.poll(names).toContain("preview-r2");
    expect(told.flat()).not.toContain("production");
    expect(told.slice(1).every((one) => one.includes(envName("preview-r1")))).toBe(true);
  });

  it("of branches are those of the pattern's settings, with a branch, a mark and a prefix of their own", () => {
    const [preview] = live.patterned;
    const environment = preview?.environmentOf("feature/a");
    expect(environment?.name).toMatch(/^preview-feature-a-[0-9a-f]{10}$/);
    expect(environment).toMatchObject({
      pattern: "preview",
      deploys: false,
      mark: environment?.name.replace("preview", "team"),
      repository: "/srv/deploy.git",
      config: { source: { branch: "feature/a", path: "env" } },
    });
    expect(environment?.layout.files).toBe(`sluice/${environment?.name}/files/`);
    expect(["feature/a", "feature/b", "r1", "main"].filter((one) => environment?.follows(one))).toEqual([
      "feature/a",
    ]);
    expect(["feature/a", "feature/a/b", "r1", "main"].filter((one) => preview?.follows(one))).toEqual([
      "feature/a",
      "r1",
    ]);
    expect(["a", "a..b", "a\ufffd", "-a", "a.lock"].filter((one) => preview?.rules.usable(one))).toEqual([
      "a",
    ]);
  });
});

describe("the configuration of an environment of several branches", () => {
  const parse = (environments: object) =>
    parseConfig(Buffer.from(JSON.stringify({ environments })), "sluice.yaml");
  const branches = ["feature/*"];

  it.each([
    [
      "a branch besides",
      { p: { source: { branch: "main", branches } } },
      "give `branch` or `branches`, not both",
    ],
    ["no pattern", { p: { source: { branches: [] } } }, "environments.p.source.branches"],
    ["a pattern no branch can match", { p: { source: { branches: ["a b"] } } }, "must be a branch's name"],
    ["a name too long", { ["p".repeat(41)]: { source: { branches } } }, "at most 40 characters"],
    [
      "another one in the way of its branches",
      { p: { source: { branches } }, "p-x": {} },
      'names that begin with "p-" are kept for the branches of p',
    ],
    ["a layout", { p: { source: { branches }, layout: {} } }, "a `layout` puts the files of all `branches`"],
    ["a misspelt setting", { p: { source: { branches_: branches } } }, 'did you mean "branches"'],
  ])("is refused with %s", (_, environments, message) => {
    expect(() => parse(environments)).toThrow(message);
  });

  it("may stand beside environments whose names only begin alike", () => {
    expect(Object.keys(parse({ p: { source: { branches } }, px: {} }).environments)).toEqual(["p", "px"]);
  });
});
