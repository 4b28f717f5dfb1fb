import { targetName } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { parsePolicy } from "./parse-policy.ts";

const TARGETS = [targetName("apps"), targetName("cron")];

function parse(text: string) {
  return parsePolicy(Buffer.from(text), TARGETS);
}

describe("deploy.yaml", () => {
  it.each([
    ["no file", undefined],
    ["an empty file", ""],
    ["only a comment", "# nothing"],
  ])("gives each target the folder of its name for %s", (_, text) => {
    const { policy } = text === undefined ? parsePolicy(undefined, TARGETS) : parse(text);
    expect([...(policy ?? [])].map(([name, { folder, prune }]) => [name, folder, prune])).toEqual([
      ["apps", "apps", { maxJobs: 5, maxShare: 0.2 }],
      ["cron", "cron", { maxJobs: 5, maxShare: 0.2 }],
    ]);
  });

  it("says everything it can say", () => {
    const { policy } = parse(`
prune: { maxJobs: 2, grace: 30s }
windows:
  - allow: Mon-Fri 08:00-18:00
    timezone: Europe/Berlin
targets:
  apps:
    folder: ./marathon/all apps/
    dependsOn: [cron]
    owner: shop
    prune: { maxPercent: 50, grace: 1h }
    windows:
      - deny: Fri 15:00-24:00
    wait: 1h30m
    heal: false
    suspend: true
  cron:
    prune: never
`);
    expect(JSON.parse(JSON.stringify(Object.fromEntries(policy ?? [])))).toEqual({
      apps: {
        folder: "marathon/all=20apps",
        dependsOn: ["cron"],
        owner: "shop",
        prune: { maxJobs: 2, maxShare: 0.5 },
        graceMs: 3_600_000,
        waitMs: 5_400_000,
        heal: false,
        suspend: true,
        windows: [{ kind: "deny", text: "Fri 15:00-24:00", timezone: "UTC" }],
      },
      cron: {
        folder: "cron",
        dependsOn: [],
        prune: "never",
        graceMs: 30_000,
        suspend: false,
        windows: [{ kind: "allow", text: "Mon-Fri 08:00-18:00", timezone: "Europe/Berlin" }],
      },
    });
  });

  it.each([
    ["a misspelt key", "target: {}", 1, "target", 'unknown key "target" (did you mean "targets"?)'],
    [
      "a misspelt key of a target",
      "targets:\n  apps:\n    foldr: x",
      3,
      "targets.apps.foldr",
      'unknown key "foldr" (did you mean "folder"?)',
    ],
    [
      "a misspelt limit",
      "prune:\n  maxJob: 3",
      2,
      "prune.maxJob",
      'unknown key "maxJob" (did you mean "maxJobs"?)',
    ],
    [
      "a limit of the wrong kind",
      "prune:\n  maxJobs: many",
      2,
      "prune.maxJobs",
      "Invalid input: expected number, received string",
    ],
    [
      "a wrong word for prune",
      "prune: always",
      1,
      "prune",
      'must be "never" or { maxJobs, maxPercent, grace }',
    ],
    [
      "a grace that is no duration",
      "prune:\n  grace: 5",
      2,
      "prune.grace",
      "Invalid input: expected string, received number",
    ],
    [
      "a window that cannot be read",
      "windows:\n  - allow: weekdays",
      2,
      "windows.0.allow",
      'must be days and times such as "Mon-Fri 08:00-18:00", "Sat,Sun" or "22:00-06:00"',
    ],
    [
      "a window that neither allows nor denies",
      "windows:\n  - timezone: UTC",
      2,
      "windows.0",
      "a window has either `allow` or `deny`",
    ],
    [
      "a time zone that does not exist",
      "targets:\n  apps:\n    windows:\n      - deny: Sat\n        timezone: Europe/Atlantis",
      5,
      "targets.apps.windows.0.timezone",
      'must be a time zone such as "Europe/Berlin"',
    ],
    [
      "a misspelt key of a window",
      "windows:\n  - allow: Sat\n    timzone: UTC",
      3,
      "windows.0.timzone",
      'unknown key "timzone" (did you mean "timezone"?)',
    ],
    [
      "a wait that is no duration",
      "targets:\n  apps:\n    wait: soon",
      3,
      "targets.apps.wait",
      'must be a duration such as "90s", "2m" or "1h30m"',
    ],
    [
      "a target that is not there",
      "targets:\n  app: {}",
      2,
      "targets.app",
      'the engine has no target "app" (did you mean "apps"?); it has apps, cron',
    ],
    [
      "a dependency that is not there",
      "targets:\n  apps:\n    dependsOn: [corn]",
      3,
      "targets.apps.dependsOn.0",
      'the engine has no target "corn" (did you mean "cron"?)',
    ],
    [
      "a folder claimed twice",
      "targets:\n  cron:\n    folder: apps",
      3,
      "targets.cron.folder",
      'the target "apps" is fed by the folder "apps" already',
    ],
    [
      "a folder outside",
      "targets:\n  apps:\n    folder: ../x",
      3,
      "targets.apps.folder",
      '"../x" is no folder inside the environment',
    ],
    [
      "targets in a circle",
      "targets:\n  apps: {dependsOn: [cron]}\n  cron: {dependsOn: [apps]}",
      2,
      "targets.apps.dependsOn",
      "these targets depend on each other: apps → cron → apps",
    ],
  ])("refuses %s, by line and key", (_, text, line, key, message) => {
    const { policy, problems } = parse(text);
    expect(policy).toBeUndefined();
    expect(problems.map((one) => ({ line: one.line, key: one.key, message: one.message }))).toEqual([
      { line, key, message },
    ]);
  });

  it("reports every problem at once", () => {
    expect(
      parse("a: 1\ntargets:\n  apps:\n    heal: maybe\n    b: 2\n")
        .problems.map(({ key }) => key)
        .sort(),
    ).toEqual(["a", "targets.apps.b", "targets.apps.heal"]);
  });
});
