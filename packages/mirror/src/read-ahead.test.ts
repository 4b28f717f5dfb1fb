import type { CommitId, Source } from "@sluice/core";
import { memorySource } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { readAhead } from "./read-ahead.ts";

const signal = new AbortController().signal;

/** A source that counts how often each commit's tree is read. */
function counted(): {
  readonly source: Source;
  readonly push: (name: string) => CommitId;
  readonly read: CommitId[];
} {
  const source = memorySource();
  const read: CommitId[] = [];
  const counting: Source = {
    ...source,
    tree(commit, until) {
      read.push(commit);
      return source.tree(commit, until);
    },
  };
  return { source: counting, push: (name) => source.push({ [name]: "" }), read };
}

it("a tree that was read ahead is read once for whoever asks first, and anew for the next", async () => {
  const { source, push, read } = counted();
  const commit = push("a");
  const ahead = readAhead(source);
  await ahead.begin(signal);
  expect((await ahead.tree(commit)).map(({ path }) => path)).toEqual(["a"]);
  expect(read).toEqual([commit]);
  await ahead.tree(commit);
  expect(read).toEqual([commit, commit]);
});

it("another commit's tree is read as if nothing had been read ahead", async () => {
  const { source, push, read } = counted();
  const older = push("a");
  const ahead = readAhead(source);
  await ahead.begin(signal);
  const newer = push("b");
  expect((await ahead.tree(newer)).map(({ path }) => path)).toEqual(["b"]);
  expect(read).toEqual([older, newer]);
});

it("a tree that could not be read ahead is read when it is asked for", async () => {
  const { source, push } = counted();
  const commit = push("a");
  let failures = 1;
  const ahead = readAhead({
    ...source,
    tree: (one, until) => (failures-- > 0 ? Promise.reject(new Error("later")) : source.tree(one, until)),
  });
  await ahead.begin(signal);
  expect((await ahead.tree(commit)).map(({ path }) => path)).toEqual(["a"]);
});

it("a branch that is not there, or cannot be asked for, is nothing to read ahead", async () => {
  const { source } = counted();
  await readAhead(source).begin(signal);
  await readAhead({ ...source, head: () => Promise.reject(new Error("away")) }).begin(signal);
});
