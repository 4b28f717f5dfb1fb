import { describe, expect, it } from "vitest";
import { complete } from "../app/complete.ts";
import { versioned } from "../app/versioning.ts";
import type { App, AppPatch, Change } from "../model.ts";
import { profileOf } from "../profiles.ts";
import { isCyclic, overlay, planSteps, subjectOf } from "./plan.ts";
import { rootGroup, wholeEdit } from "./root-group.ts";

const T1 = "2026-01-01T00:00:00.000Z";
const T2 = "2026-01-02T00:00:00.000Z";

function app(id: string, patch: AppPatch = {}, from?: App): App {
  const spec = complete(id, { cmd: "run it", ...patch }, profileOf("1.10.x"));
  return versioned(spec, from, from ? T2 : T1);
}

function update(from: App, patch: AppPatch): Change {
  return { id: from.id, from, to: app(from.id, patch, from) };
}

function stepsOf(changes: Change[], existing: App[] = []): string[][] {
  const wanted = overlay({ apps: changes, groups: [] }, rootGroup(existing, []));
  return planSteps(changes, wanted).map(({ actions }) =>
    actions.map((one) => `${one.action.replace("Application", "")} ${subjectOf(one)}`),
  );
}

describe("the plan of a change", () => {
  const a = app("/a");
  const b = app("/b", { dependencies: ["/a"] });

  it.each<[string, Change[], string[][]]>([
    ["starts and scales a new app", [{ id: "/a", to: a }], [["Start /a"], ["Scale /a"]]],
    ["stops a removed app", [{ id: "/a", from: a }], [["Stop /a"]]],
    ["scales when only instances differ", [update(a, { instances: 3 })], [["Scale /a"]]],
    ["restarts on any other difference, labels too", [update(a, { labels: { x: "y" } })], [["Restart /a"]]],
    ["scales to nothing without a restart", [update(a, { cmd: "other", instances: 0 })], [["Scale /a"]]],
    ["is empty when nothing differs", [update(a, {})], []],
    [
      "takes layers of dependencies in turn, all stops and starts before",
      [
        { id: "/old", from: app("/old") },
        { id: "/b", to: b },
        { id: "/a", to: a },
        { id: "/c", to: app("/c") },
      ],
      [["Stop /old"], ["Start /b", "Start /a", "Start /c"], ["Scale /a", "Scale /c"], ["Scale /b"]],
    ],
  ])("%s", (_, changes, expected) => {
    expect(stepsOf(changes)).toEqual(expected);
  });

  it("lets an app wait for every app of a group it depends on", () => {
    const changes = [
      { id: "/web", to: app("/web", { dependencies: ["/db"] }) },
      { id: "/db/one", to: app("/db/one") },
      { id: "/db/deep/two", to: app("/db/deep/two") },
    ];
    expect(stepsOf(changes).slice(1)).toEqual([["Scale /db/one", "Scale /db/deep/two"], ["Scale /web"]]);
  });

  it("orders by a chain that leads through an unchanged app, and ignores unknown dependencies", () => {
    const changes = [
      { id: "/c", to: app("/c", { dependencies: ["/b", "/nowhere"] }) },
      update(a, { cmd: "other" }),
    ];
    expect(stepsOf(changes, [a, b]).slice(1)).toEqual([["Restart /a"], ["Scale /c"]]);
  });

  it("does not mind the order of constraints", () => {
    const one = app("/a", {
      constraints: [
        ["hostname", "UNIQUE"],
        ["rack", "CLUSTER", "a"],
      ],
    });
    const change = update(one, {
      constraints: [
        ["rack", "CLUSTER", "a"],
        ["hostname", "UNIQUE"],
      ],
    });
    expect(stepsOf([change])).toEqual([]);
  });
});

describe("a dependency cycle", () => {
  it.each([
    ["between two", ["/b"], true],
    ["none", [], false],
    ["through a group", ["/g"], true],
  ])("is found: %s", (_, dependencies, expected) => {
    const changed = app("/a", { dependencies });
    const others = [app("/b", { dependencies: ["/a"] }), app("/g/x", { dependencies: ["/a"] })];
    const edit = { apps: [{ id: "/a", to: changed }], groups: [] };
    expect(isCyclic([changed], overlay(edit, rootGroup(others, [])))).toBe(expected);
  });
});

describe("the root group", () => {
  it("keeps empty groups, and lets an app take an empty group's place", () => {
    const root = rootGroup([app("/a/b/c")], []);
    expect(root.under("/a").map((one) => one.id)).toEqual(["/a/b/c"]);
    root.apply(wholeEdit(root, { apps: [{ id: "/a/b/c", from: app("/a/b/c") }], groups: [] }), T2);
    expect([root.isGroup("/a/b"), root.under("/").length]).toEqual([true, 0]);
    root.apply(wholeEdit(root, { apps: [{ id: "/a/b", to: app("/a/b") }], groups: [] }), T2);
    expect([root.isGroup("/a/b"), root.app("/a/b")?.id]).toEqual([false, "/a/b"]);
  });
});
