import { describe, expect, it } from "vitest";
import type { JobKey } from "../model/ids.ts";
import { encodePath } from "../model/path.ts";
import { resolveDesired } from "./desired.ts";
import { filesOf, unreadable, wanted } from "./plan-fixtures.ts";

describe("a revision without faults", () => {
  it("wants every job of every file", () => {
    const web = wanted("apps/web", {}, { dependsOn: ["apps/db"] });
    const db = wanted("apps/db");
    expect(resolveDesired(filesOf(web, db))).toEqual({
      jobs: new Map([
        [web.key, web],
        [db.key, db],
      ]),
      problems: [],
      stalled: new Map(),
      broken: new Map(),
    });
  });

  it("may be empty", () => {
    expect(resolveDesired(new Map())).toEqual({
      jobs: new Map(),
      problems: [],
      stalled: new Map(),
      broken: new Map(),
    });
  });
});

describe("a job that two files claim", () => {
  const first = { ...wanted("apps/web"), file: encodePath("apps/a.yaml"), line: 4 };
  const second = { ...wanted("apps/web"), file: encodePath("apps/b c.yaml"), line: 7 };
  const other = wanted("cron/other");

  it("is stalled in both, and its neighbours are not", () => {
    const desired = resolveDesired(filesOf(first, second, other));
    const problems = [
      {
        file: "apps/a.yaml",
        line: 4,
        reason: "Duplicate",
        message: "the job apps/web is also in apps/b c.yaml, line 7",
      },
      {
        file: "apps/b=20c.yaml",
        line: 7,
        reason: "Duplicate",
        message: "the job apps/web is also in apps/a.yaml, line 4",
      },
    ];
    expect([...desired.jobs.keys()]).toEqual(["cron/other"]);
    expect(desired.problems).toEqual(problems);
    expect(desired.stalled).toEqual(new Map([["apps/web", problems[0]]]));
    expect(desired.broken).toEqual(new Map([["apps", ["apps/a.yaml", "apps/b=20c.yaml"]]]));
  });

  it("may be claimed twice by the same file", () => {
    const file = encodePath("apps/all.yaml");
    const jobs = [1, 9].map((line) => ({ ...wanted("apps/web"), file, line }));
    const desired = resolveDesired(new Map([[file, { target: first.target, jobs, problems: [] }]]));
    expect(desired.problems.map(({ line, message }) => [line, message])).toEqual([
      [1, "the job apps/web is also in apps/all.yaml, line 9"],
      [9, "the job apps/web is also in apps/all.yaml, line 1"],
    ]);
    expect(desired.broken).toEqual(new Map([["apps", [file]]]));
  });

  it("still counts as there for what depends on it", () => {
    const front = wanted("apps/front", {}, { dependsOn: ["apps/web"] });
    expect([...resolveDesired(filesOf(first, second, front)).jobs.keys()]).toEqual(["apps/front"]);
  });
});

describe("a dependency that no file holds", () => {
  const web = wanted("apps/web", {}, { dependsOn: ["apps/db"] });

  it("stalls the job that names it", () => {
    const desired = resolveDesired(filesOf(web, wanted("apps/x")));
    expect([...desired.jobs.keys()]).toEqual(["apps/x"]);
    expect(desired.problems).toEqual([
      {
        file: "apps/web.yaml",
        line: 1,
        key: "sluice.dependsOn",
        reason: "InvalidSpec",
        message: "it depends on apps/db, which no readable file of this revision holds",
      },
    ]);
  });

  it("is unknown, not missing, while a file of its target cannot be read", () => {
    const desired = resolveDesired(new Map([...filesOf(web), unreadable("apps/broken.yaml")]));
    expect([...desired.jobs.keys()]).toEqual(["apps/web"]);
    expect(desired.stalled.size).toBe(0);
  });
});

describe("jobs that depend on each other", () => {
  it("are all stalled, each with the whole circle; what depends on them is not", () => {
    const circle = [
      wanted("apps/a", {}, { dependsOn: ["apps/b"] }),
      wanted("apps/b", {}, { dependsOn: ["apps/a"] }),
      wanted("apps/self", {}, { dependsOn: ["apps/self"] }),
      wanted("apps/after", {}, { dependsOn: ["apps/a"] }),
    ];
    const desired = resolveDesired(filesOf(...circle));
    expect([...desired.jobs.keys()]).toEqual(["apps/after"]);
    expect(desired.problems.map(({ file, reason, message }) => [file, reason, message])).toEqual([
      ["apps/a.yaml", "DependencyCycle", "these jobs depend on each other: apps/a → apps/b → apps/a"],
      ["apps/b.yaml", "DependencyCycle", "these jobs depend on each other: apps/a → apps/b → apps/a"],
      ["apps/self.yaml", "DependencyCycle", "these jobs depend on each other: apps/self → apps/self"],
    ]);
  });

  it("are named up to a few, however many they are", () => {
    const keys = Array.from({ length: 10_000 }, (_, at) => `apps/j${at}`);
    const jobs = keys.map((key, at) => wanted(key, {}, { dependsOn: [keys[(at + 1) % keys.length] ?? ""] }));
    const desired = resolveDesired(filesOf(...jobs));
    expect(desired.stalled.size).toBe(10_000);
    expect(new Set(desired.problems.map((problem) => problem.message))).toEqual(
      new Set([`these jobs depend on each other: ${keys.slice(0, 8).join(" → ")} → 9992 more → apps/j0`]),
    );
  });

  it("say how many more hang together with the circle that is named", () => {
    const jobs = [
      wanted("apps/a", {}, { dependsOn: ["apps/b", "apps/c"] }),
      wanted("apps/b", {}, { dependsOn: ["apps/a"] }),
      wanted("apps/c", {}, { dependsOn: ["apps/b"] }),
    ];
    expect(resolveDesired(filesOf(...jobs)).stalled.get("apps/c" as JobKey)?.message).toBe(
      "these jobs depend on each other: apps/a → apps/b → apps/a, and 1 more with them",
    );
  });
});

it("keeps the problems of a file that cannot be read, and counts its target as broken", () => {
  const files = new Map([
    ...filesOf(wanted("apps/web")),
    unreadable("apps/bad.yaml"),
    unreadable("cron/bad.yaml"),
  ]);
  const desired = resolveDesired(files);
  expect([...desired.jobs.keys()]).toEqual(["apps/web"]);
  expect(desired.problems.map((problem) => problem.file)).toEqual(["apps/bad.yaml", "cron/bad.yaml"]);
  expect(desired.stalled).toEqual(new Map());
  expect(desired.broken).toEqual(
    new Map([
      ["apps", ["apps/bad.yaml"]],
      ["cron", ["cron/bad.yaml"]],
    ]),
  );
});
