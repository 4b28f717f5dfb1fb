import type { JobKey, TargetName } from "@sluice/core";
import { describe, expect, it } from "vitest";
import type { Fact } from "../notice/notice.ts";
import { aNotice } from "../testing/notices.ts";
import { type Route, routed } from "./routes.ts";

const job = (key: string, owner?: string, kind: "job.failed" | undefined = "job.failed") => ({
  key: key as JobKey,
  ...(owner === undefined ? {} : { owner }),
  ...(kind === undefined ? {} : { kind }),
});

function aFact(more: Partial<Fact> = {}): Fact {
  const { id: _, severity: __, moreJobs: ___, target: ____, ...fact } = aNotice();
  return { ...fact, jobs: [job("apps/a", "shop"), job("cron/b", "bank"), job("apps/c")], ...more };
}

const targetFailed = aFact({ kind: "target.failed", target: "apps" as TargetName, jobs: [] });

/** The jobs each channel is told of; nothing for a channel that is told nothing. */
function told(fact: Fact, routes: readonly Route[]): Record<string, string[]> {
  return Object.fromEntries(
    [...routed(fact, routes)].map(([to, { jobs }]) => [to, jobs.map(({ key }) => key)]),
  );
}

describe("a route", () => {
  const all = ["apps/a", "cron/b", "apps/c"];
  it.each<[string, Omit<Route, "to">, string[] | undefined]>([
    ["that names nothing selects everything", {}, all],
    ["of another environment", { environments: ["staging"] }, undefined],
    ["of environments by pattern", { environments: ["prod*"] }, all],
    ["whose pattern holds what means something elsewhere", { environments: ["prod.*"] }, undefined],
    ["of a team", { owners: ["shop"] }, ["apps/a"]],
    ["of teams", { owners: ["shop", "b*"] }, ["apps/a", "cron/b"]],
    ["of a team without a job in it", { owners: ["nobody"] }, undefined],
    ["of a target", { targets: ["apps"] }, ["apps/a", "apps/c"]],
    ["of a target and a team", { targets: ["cron"], owners: ["shop"] }, undefined],
    ["of the least severity", { severity: "error" }, all],
    ["of a kind", { events: ["deployment.degraded"] }, all],
    [
      "of jobs that failed: a deployment in which they did is their news too",
      { events: ["job.failed"] },
      all,
    ],
    ["of another kind", { events: ["target.*", "job.recovered"] }, undefined],
  ])("%s", (_, route, jobs) => {
    expect(told(aFact(), [{ to: ["x"], ...route }])).toEqual(jobs === undefined ? {} : { x: jobs });
  });

  it("of a team hears nothing of what is no team's; one of a target hears of that target", () => {
    const routes = [
      { to: ["team"], owners: ["shop"] },
      { to: ["apps"], targets: ["apps"] },
      { to: ["cron"], targets: ["cron"] },
      { to: ["all"] },
    ];
    expect(told(targetFailed, routes)).toEqual({ apps: [], all: [] });
  });

  it("of jobs that failed is not told of those that are only changed", () => {
    const fact = aFact({ jobs: [job("apps/a", "shop"), job("apps/b", "shop", undefined)].slice(0, 2) });
    const changedOnly = { ...fact, jobs: [fact.jobs[0], { key: "apps/b" as JobKey, owner: "shop" }] } as Fact;
    expect(told(changedOnly, [{ to: ["x"], events: ["job.failed"] }])).toEqual({ x: ["apps/a"] });
  });
});

describe("a channel", () => {
  it("is told once, of the jobs of every route that leads there", () => {
    const routes = [
      { to: ["x", "y"], owners: ["shop"] },
      { to: ["x"], owners: ["bank"] },
    ];
    expect(told(aFact(), routes)).toEqual({ x: ["apps/a", "cron/b"], y: ["apps/a"] });
  });

  it("is told twenty jobs and how many there are besides", () => {
    const jobs = Array.from({ length: 53 }, (_, at) => job(`apps/j${at}`));
    const [notice] = [...routed(aFact({ jobs }), [{ to: ["x"] }]).values()];
    expect([notice?.jobs.length, notice?.moreJobs]).toEqual([20, 33]);
  });

  it("is told the same fact under the same id, and others under others", () => {
    const ids = (fact: Fact) => [...routed(fact, [{ to: ["x", "y"] }]).values()].map(({ id }) => id);
    expect(ids(aFact())).toEqual(ids(aFact()));
    const later = ids(aFact({ at: "2026-01-01T12:00:01.000Z" }));
    expect(new Set([...ids(aFact()), ...later]).size).toBe(4);
  });

  it("is told no more text than a message may hold", () => {
    const long = "x\u0007\u202e".repeat(9_000);
    const commit = { id: "1", subject: long, author: long };
    const [notice] = [...routed(aFact({ title: long, message: long, commit }), [{ to: ["x"] }]).values()];
    expect(JSON.stringify(notice).length).toBeLessThan(4_000);
    expect(notice?.title).not.toMatch(/\p{Cc}|\u202e/u);
  });
});
