import { describe, expect, it } from "vitest";
import { parseConfig } from "../../config/load.ts";
import { patternedEnvironments } from "../../engine/branches/patterned.ts";
import { environmentsOf } from "../../engine/environment.ts";
import { concernedBy } from "./concerned.ts";

const repository = "https://git.example/team/deploy.git";
const environments = {
  production: { source: { repository } },
  preview: { source: { repository, branches: ["feature/*"] } },
  elsewhere: { source: { repository: "https://git.example/other.git", branches: ["**"] } },
};
const config = parseConfig(Buffer.from(JSON.stringify({ environments })), "sluice.yaml");
const embedded = { consul: "", marathon: "", chronos: "" };
const clock = { now: () => 0, sleep: async () => undefined };
const random = () => 0.5;
const patterned = patternedEnvironments({ config, embedded, clock, random, kindOf: undefined });
const fixed = environmentsOf(config, embedded, clock, random);
const branch = patterned.find(({ name }) => name === "preview")?.environmentOf("feature/a");
const all = [...fixed, ...(branch ? [branch] : []), ...patterned];

describe("a push to a repository of several branches", () => {
  it.each([
    ["refs/heads/feature/a", false, ["preview", branch?.name]],
    ["refs/heads/feature/new", false, ["preview"]],
    ["refs/heads/feature/a", true, ["preview", branch?.name]],
    ["refs/heads/main", false, ["production"]],
    ["refs/heads/other", false, []],
    ["refs/tags/feature/a", false, []],
    ["refs/heads/feature/a/b", false, []],
  ])("of %s (deleted: %s) wakes who looks after it", (ref, deleted, names) => {
    const notice = { kind: "push" as const, repositories: [repository], updates: [{ ref, deleted }] };
    const { concerned } = concernedBy(notice, all);
    expect(concerned.map(({ environment }) => environment.name).sort()).toEqual(names.sort());
  });
});
