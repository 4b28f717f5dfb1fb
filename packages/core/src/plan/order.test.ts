import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JobKey } from "../model/ids.ts";
import { circleIn, dependencyCycles } from "./order.ts";
import { wanted } from "./plan-fixtures.ts";

function graph(edges: Record<string, readonly string[]>) {
  return new Map(
    Object.entries(edges).map(([key, dependsOn]) => [key as JobKey, wanted(key, {}, { dependsOn })] as const),
  );
}

describe("dependencyCycles", () => {
  it.each<[string, Record<string, string[]>, string[][]]>([
    ["nothing", {}, []],
    ["a chain", { a: ["b"], b: ["c"], c: [] }, []],
    ["a diamond", { a: ["b", "c"], b: ["d"], c: ["d"], d: [] }, []],
    ["a dependency that is not there", { a: ["gone"] }, []],
    ["a job that depends on itself", { a: ["a"], b: [] }, [["a"]]],
    ["a circle, in the order that walks it", { a: ["b"], b: ["c"], c: ["a"] }, [["a", "b", "c"]]],
    ["a circle behind a job that is not on it", { z: ["a"], a: ["b"], b: ["a"] }, [["a", "b"]]],
    [
      "two circles apart",
      { a: ["b"], b: ["a"], c: ["d"], d: ["c"] },
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["circles that share a job, as one set", { a: ["b", "c"], b: ["a"], c: ["b"] }, [["a", "b", "c"]]],
  ])("of %s", (_name, edges, sets) => {
    expect(dependencyCycles(graph(edges))).toEqual(sets);
  });

  it("finds exactly the jobs that can reach themselves, each once", () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const edges = fc.record(
      Object.fromEntries(names.map((name) => [name, fc.subarray(names, { maxLength: 3 })])),
    );
    fc.assert(
      fc.property(edges, (drawn) => {
        const found = dependencyCycles(graph(drawn)).flat();
        const reachable = (from: string, seen = new Set<string>()): Set<string> => {
          for (const next of drawn[from] ?? []) if (!seen.has(next)) reachable(next, seen.add(next));
          return seen;
        };
        expect([...found].sort()).toEqual(names.filter((name) => reachable(name).has(name)));
      }),
    );
  });

  it("follows a chain of 10,000 jobs, and a circle of as many, without running out of stack", () => {
    const keys = Array.from({ length: 10_000 }, (_, at) => `apps/job-${at}`);
    const edges = Object.fromEntries(keys.map((key, at) => [key, keys.slice(at + 1, at + 2)]));
    expect(dependencyCycles(graph(edges))).toEqual([]);
    edges["apps/job-9999"] = ["apps/job-0"];
    expect(dependencyCycles(graph(edges))).toEqual([keys]);
  });
});

it.each<[Record<string, string[]>, string[]]>([
  [{ a: ["a"] }, ["a"]],
  [{ a: ["b"], b: ["c"], c: ["a"] }, ["a", "b", "c"]],
  [{ a: ["b"], b: ["c"], c: ["b", "a"] }, ["b", "c"]],
])("circleIn finds one true circle in %j", (edges, circle) => {
  const jobs = graph(edges);
  expect(circleIn(jobs, dependencyCycles(jobs)[0] ?? [])).toEqual(circle);
});
