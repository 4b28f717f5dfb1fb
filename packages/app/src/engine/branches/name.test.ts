import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { branchEnvironment } from "./name.ts";

const hashOf = (branch: string) => createHash("sha256").update(branch).digest("hex").slice(0, 10);

describe("the environment of a branch", () => {
  it.each(["a", "release-1", "7", "x--y", "a".repeat(55)])(
    "is called as the branch where it can: %s",
    (branch) => {
      expect(branchEnvironment("preview", branch)).toBe(`preview-${branch}`);
    },
  );

  it.each([
    ["feature/Login", "feature-login"],
    ["Main", "main"],
    ["release_1.2", "release-1-2"],
    ["-x-", "x"],
    ["--", ""],
    ["grün", "gr-n"],
    ["日本", ""],
    ["a".repeat(56), "a".repeat(44)],
    [`${"a".repeat(43)}/${"b".repeat(40)}`, "a".repeat(43)],
    // What ends like a hash might be what another branch is turned into.
    ["0123456789", "0123456789"],
    ["x-0123456789", "x-0123456789"],
  ])("has a hash where it cannot: %s", (branch, words) => {
    const name = branchEnvironment("preview", branch);
    expect(name).toBe(`preview-${words === "" ? "" : `${words}-`}${hashOf(branch)}`);
  });

  it("is a stable, valid name of its own for every branch", () => {
    const text = fc.oneof(
      fc.string({ minLength: 1, maxLength: 90 }),
      fc.string({ unit: fc.constantFrom("a", "A", "-", "/", ".", "0", "f"), minLength: 1, maxLength: 20 }),
      fc.string({ unit: fc.constantFrom(..."0123456789abcdef-"), minLength: 10, maxLength: 14 }),
    );
    const environment = fc.constantFrom("p", "preview", "e".repeat(40));
    fc.assert(
      fc.property(environment, fc.uniqueArray(text, { minLength: 1, maxLength: 40 }), (name, branches) => {
        const names = branches.map((branch) => branchEnvironment(name, branch));
        expect(new Set(names).size).toBe(branches.length);
        expect(branches.map((branch) => branchEnvironment(name, branch))).toEqual(names);
        for (const one of names) {
          expect(one).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
          expect(one.startsWith(`${name}-`)).toBe(true);
        }
      }),
    );
  });

  it("of a branch that is called as another one's environment is another one", () => {
    const turned = branchEnvironment("preview", "feature/Login").slice("preview-".length);
    expect(branchEnvironment("preview", turned)).not.toBe(branchEnvironment("preview", "feature/Login"));
  });
});
