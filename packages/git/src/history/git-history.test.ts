import { encodePath, systemClock } from "@sluice/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ScratchRepository, scratchRepository } from "../testing/scratch-repository.ts";
import { type GitHistoryOptions, gitHistory } from "./git-history.ts";

let repository: ScratchRepository;
beforeEach(() => {
  repository = scratchRepository();
});
afterEach(() => repository.remove());

/** A commit of these files with these parents, which becomes the branch's newest. */
function commit(files: Readonly<Record<string, string>>, ...parents: string[]): string {
  const tree = `${repository.commit(files, "files")}^{tree}`;
  const who = ["-c", "user.name=A", "-c", "user.email=a@example.test"];
  const above = parents.flatMap((parent) => ["-p", parent]);
  const made = repository.git(...who, "commit-tree", ...above, "-m", "x", tree);
  repository.git("update-ref", "refs/heads/main", made);
  return made;
}

async function walked(file: string, more: Partial<GitHistoryOptions> = {}) {
  const options = { repository: repository.path, branch: "main", cacheDir: "/nowhere" };
  const history = await gitHistory({ ...options, clock: systemClock, random: Math.random, ...more });
  try {
    const steps: string[] = [];
    for await (const { info, blob } of history.walk(() => encodePath(file)))
      steps.push(`${info.commit} ${blob ? repository.git("cat-file", "blob", blob) : "-"}`);
    return steps;
  } finally {
    await history.close();
  }
}

it.each([
  ["with git", {}],
  ["without git", { git: false as const }],
])("every commit of a branch is told with a file as it was, newest first, %s", async (_, way) => {
  const none = commit({ "x.txt": "0" });
  const one = commit({ "prod/a/b.yaml": "1" }, none);
  const two = commit({ "prod/a/b.yaml": "2", "x.txt": "0" }, one);
  const gone = commit({}, two);
  const expected = [`${gone} -`, `${two} 2`, `${one} 1`, `${none} -`];
  expect(await walked("prod/a/b.yaml", way)).toEqual(expected);
  expect(await walked("a/b.yaml", { path: "prod", ...way })).toEqual(expected);
});

it("of a merge, the side that the branch was on counts", async () => {
  const base = commit({ "a.yaml": "1" });
  const side = commit({ "a.yaml": "2" }, base);
  const merge = commit({ "a.yaml": "3" }, base, side);
  expect(await walked("a.yaml")).toEqual([`${merge} 3`, `${base} 1`]);
});

it("a branch that does not exist has no history", async () => {
  expect(await walked("a.yaml")).toEqual([]);
});
