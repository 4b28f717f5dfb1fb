import { describe, expect, it } from "vitest";
import { branchMatcher } from "./patterns.ts";

describe("a pattern of branches", () => {
  it.each([
    [
      "feature/*",
      ["feature/a", "feature/", "feature/a.b"],
      ["feature", "feature/a/b", "xfeature/a", "Feature/a"],
    ],
    ["feature/**", ["feature/a", "feature/a/b"], ["feature", "features/a"]],
    ["release-?", ["release-1"], ["release-", "release-10", "release-/"]],
    ["*", ["main", "x-1"], ["feature/a"]],
    ["**", ["main", "feature/a/b"], []],
    ["v1.2", ["v1.2"], ["v1x2", "v1.2.3"]],
    ["a+b(c)|$&", ["a+b(c)|$&"], ["aab", "a"]],
    ["*/fix", ["a/fix"], ["a/b/fix", "fix"]],
  ])("%s", (pattern, matching, others) => {
    const matches = branchMatcher([pattern]);
    expect([...matching, ...others].filter(matches)).toEqual(matching);
  });

  it("is one of several", () => {
    const matches = branchMatcher(["feature/*", "release-*"]);
    expect(["feature/a", "main", "release-1"].filter(matches)).toEqual(["feature/a", "release-1"]);
  });
});
