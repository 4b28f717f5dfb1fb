import { type CommitId, encodePath, type FilePath } from "@sluice/core";
import { memorySource } from "@sluice/core/testing";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { type Bench, bench } from "../test-bench.ts";
import { type Selection, selectedSource } from "./selected-source.ts";

const FILES = {
  "deploy.yaml": "1",
  "apps/web.yaml": "2",
  "apps/.hidden.yaml": "3",
  "apps/shop/api.json": "4",
  "apps2/web.yaml": "5",
  "docs/a b.md": "6",
  "docs/ü.md": "7",
  "!odd": "8",
  docs2: "9",
};

async function paths(selection: Selection, files: Record<string, string> = FILES): Promise<string[]> {
  const source = memorySource();
  const commit = source.push(files);
  const tree = await selectedSource(source, selection).tree(commit);
  return tree.map((file) => file.path).sort();
}

const encoded = (...names: string[]): string[] => names.map((name) => encodePath(name)).sort();

describe("a selected source", () => {
  it.each<[Selection, string[]]>([
    [{}, Object.keys(FILES)],
    [{ include: [], exclude: [] }, Object.keys(FILES)],
    [{ include: ["apps/**"] }, ["apps/web.yaml", "apps/.hidden.yaml", "apps/shop/api.json"]],
    [{ include: ["apps/"] }, ["apps/web.yaml", "apps/.hidden.yaml", "apps/shop/api.json"]],
    [{ include: ["apps/*"] }, ["apps/web.yaml", "apps/.hidden.yaml"]],
    [{ include: ["*"] }, ["deploy.yaml", "!odd", "docs2"]],
    [{ include: ["**/*.{json,md}"], exclude: ["docs/ü.md"] }, ["apps/shop/api.json", "docs/a b.md"]],
    [
      { exclude: ["docs/", "**/.*"] },
      ["deploy.yaml", "apps/web.yaml", "apps/shop/api.json", "apps2/web.yaml", "!odd", "docs2"],
    ],
    [{ include: ["!odd"] }, ["!odd"]],
    [{ include: ["docs/? ?.md"] }, ["docs/a b.md"]],
    [{ include: ["nothing"] }, []],
  ])("selected by %j has exactly its files", async (selection, expected) => {
    expect(await paths(selection)).toEqual(encoded(...expected));
  });

  it("matches a path that is not UTF-8, or cannot be shown, in its KV spelling", async () => {
    const source = memorySource();
    const commit = source.push({ "new\nline": "1", plain: "2" });
    const odd: FilePath = encodePath(Uint8Array.of(0x66, 0xff));
    const raw = { ...source, tree: async () => [...(await source.tree(commit)), oddFile(odd)] };
    const tree = await selectedSource(raw, { include: ["f=FF", "new=0Aline"] }).tree(commit);
    expect(tree.map((file) => file.path).sort()).toEqual(["f=FF", "new=0Aline"]);
  });

  it("has the changes that its trees have", async () => {
    const names = fc.constantFrom(...Object.keys(FILES));
    const files = fc.dictionary(names, fc.constantFrom("x", "y"));
    const globs = fc.array(fc.constantFrom("apps/**", "*", "**/*.yaml", "docs/", "**/.*"), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(files, files, globs, globs, async (before, after, include, exclude) => {
        const source = memorySource();
        const [from, to] = [source.push(before), source.push(after)];
        const selected = selectedSource(source, { include, exclude });
        const state = await stateOf(selected, from);
        for (const change of await selected.changes(from, to)) {
          expect(state.get(change.path)).toEqual(change.from);
          if (change.to) state.set(change.path, change.to);
          else state.delete(change.path);
        }
        expect(state).toEqual(await stateOf(selected, to));
      }),
      { numRuns: 60 },
    );
  });
});

function oddFile(path: FilePath) {
  return { path, oid: "0".repeat(40) as never, kind: "file" as const };
}

async function stateOf(source: ReturnType<typeof selectedSource>, commit: CommitId) {
  return new Map((await source.tree(commit)).map((file) => [file.path, file]));
}

describe("a mirror of a selected source", () => {
  let one: Bench;
  afterEach(async () => {
    expect(one.mixes).toEqual([]);
    await one.stop();
  });

  it("brings the KV to the selection when the globs change between two runs of the same commit", async () => {
    const selection: { include?: string[]; exclude: string[] } = { exclude: [] };
    one = bench({}, (source) => ({ source: selectedNow(source, selection) }));
    one.source.push({ "a.yaml": "1", "b.md": "2", "c/d.yaml": "3" });
    await one.settle();
    expect(Object.keys(one.files())).toEqual(["a.yaml", "b.md", "c/d.yaml"]);
    selection.exclude = ["**/*.md", "c/"];
    await one.restart();
    await one.clock.advance(60_000);
    expect(one.files()).toEqual({ "a.yaml": "1" });
    expect(one.marker()).toMatchObject({ state: "synced", files: 1 });
    selection.exclude = [];
    selection.include = ["**/*.yaml"];
    await one.restart();
    await one.clock.advance(60_000);
    expect(one.files()).toEqual({ "a.yaml": "1", "c/d.yaml": "3" });
  });

  it("moves the marker alone for a commit that touches only what is left out", async () => {
    one = bench({}, (source) => ({ source: selectedSource(source, { exclude: ["*.md"] }) }));
    one.source.push({ "a.yaml": "1" });
    await one.settle();
    one.source.push({ "a.yaml": "1", "b.md": "2" });
    await one.settle();
    expect(one.files()).toEqual({ "a.yaml": "1" });
    expect(one.kv.commits.at(-1)).toHaveLength(2);
  });
});

/** A source whose globs are those of the moment, as after a restart with another configuration. */
function selectedNow(source: Parameters<typeof selectedSource>[0], selection: Selection) {
  return {
    ...source,
    tree: (...args: Parameters<typeof source.tree>) => selectedSource(source, selection).tree(...args),
    changes: (...args: Parameters<typeof source.changes>) =>
      selectedSource(source, selection).changes(...args),
  };
}
