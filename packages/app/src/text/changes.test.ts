import { encodePath, type FieldChange, type JobKey } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { changeLine, problemLine } from "./changes.ts";

const key = "apps/shop/web" as JobKey;

describe("a change in one line", () => {
  const update = (...fields: FieldChange[]) => changeLine({ kind: "update", key, fields });

  it.each([
    [update({ path: "instances", from: 1, to: 2 }), "► update apps/shop/web (instances 1 → 2)"],
    [update({ path: "labels.TEAM", to: "shop" }), "► update apps/shop/web (+labels.TEAM shop)"],
    [update({ path: "healthChecks", from: [] }), "► update apps/shop/web (-healthChecks)"],
    [
      update({ path: "env.LEVEL", from: "info", to: "debug" }),
      "► update apps/shop/web (env.LEVEL ••• → •••)",
    ],
    [
      update({ path: "cmd", from: "a", to: `b\n${"c".repeat(80)}` }),
      `► update apps/shop/web (cmd a → b ${"c".repeat(37)}…)`,
    ],
    [changeLine({ kind: "create", key, fields: [] }), "► create apps/shop/web"],
    [changeLine({ kind: "prune", key, fields: [] }), "► prune apps/shop/web"],
    [
      changeLine({ kind: "update", key, fields: [], cause: "adopt" }),
      "► update apps/shop/web: takes over a job that Sluice did not make",
    ],
    [
      changeLine({ kind: "update", key, fields: [{ path: "cmd", from: 2, to: 1 }], cause: "rollback" }),
      "► update apps/shop/web (cmd 2 → 1): back to the last healthy spec",
    ],
    [
      changeLine({ kind: "create", key, fields: [], cause: "drift" }),
      "► create apps/shop/web: changed in the scheduler, put right",
    ],
    [changeLine({ kind: "create", key, fields: [], cause: "revision" }), "► create apps/shop/web"],
  ])("%s", (line, expected) => expect(line).toBe(expected));

  it("shows four fields and counts the others", () => {
    const fields = ["a", "b", "c", "d", "e", "f"].map((path) => ({ path, from: 1, to: 2 }));
    expect(update(...fields)).toBe("► update apps/shop/web (a 1 → 2, b 1 → 2, c 1 → 2, d 1 → 2, and 2 more)");
  });
});

describe("a problem in one line", () => {
  it("names file, line, key, sentence and hint", () => {
    const file = encodePath("apps/a b.yaml");
    const problem = {
      file,
      line: 7,
      key: "instances",
      reason: "InvalidSpec",
      message: "must be a number",
      hint: "write 2",
    } as const;
    expect(problemLine(problem)).toBe("✗ apps/a b.yaml:7: instances: must be a number (write 2)");
  });

  it("does without what is not known", () => {
    expect(problemLine({ file: encodePath("x.yaml"), reason: "InvalidSpec", message: "is no YAML" })).toBe(
      "✗ x.yaml: is no YAML",
    );
  });
});
