import { type EnvName, envName } from "@sluice/core";
import { describe, expect, it } from "vitest";
import { branchEnvironment } from "./name.ts";
import { type BranchEntry, decodeRegistry, encodeRegistry } from "./registry.ts";

const preview = envName("preview");
const since = "2026-01-01T00:00:00.000Z";
const entry = (branch: string, name = branchEnvironment("preview", branch)): BranchEntry => ({
  branch,
  name,
  state: "present",
  since,
});
const read = (value: string | Uint8Array) =>
  decodeRegistry(preview, { key: "k", value: Buffer.from(value), modifyIndex: "1" });

describe("the registry of branches", () => {
  it("says what was written", () => {
    const entries = [entry("a"), { ...entry("feature/B"), state: "absent" as const }];
    expect(read(encodeRegistry(entries))).toEqual(entries);
    expect(read(encodeRegistry([]))).toEqual([]);
  });

  it.each(["", "{", "[]", "null", '{"branches":{}}'])("says nothing where it holds %j", (value) => {
    expect(read(value)).toBeUndefined();
  });

  it("says nothing where there is none", () => {
    expect(decodeRegistry(preview, undefined)).toBeUndefined();
  });

  it("never names an environment that is not the branch's own, whoever wrote it", () => {
    const entries = [
      entry("a", "production" as EnvName),
      entry("b", "preview-a" as EnvName),
      entry("c", "preview" as EnvName),
      entry("d", "../x" as EnvName),
      { ...entry("e"), state: "gone" },
      { ...entry("f"), since: 1 },
      null,
      entry("good"),
    ];
    expect(read(JSON.stringify({ branches: entries }))).toEqual([entry("good")]);
  });
});
