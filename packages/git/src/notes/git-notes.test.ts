import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommitId, type CommitNotes, systemClock } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GitServer, gitServer } from "../testing/git-server.ts";
import { type ScratchRepository, scratchRepository } from "../testing/scratch-repository.ts";
import { type GitNotesOptions, gitNotes } from "./git-notes.ts";

let repository: ScratchRepository;
let server: GitServer;
let folders: string[];
let opened: CommitNotes[];

beforeEach(async () => {
  repository = scratchRepository();
  repository.git("config", "http.receivepack", "true");
  server = await gitServer(repository.path);
  folders = [];
  opened = [];
});
afterEach(async () => {
  for (const notes of opened) await notes.close();
  await server.stop();
  repository.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

async function open(options: Partial<GitNotesOptions> & Pick<GitNotesOptions, "repository">) {
  const cacheDir = mkdtempSync(join(tmpdir(), "sluice-notes-"));
  folders.push(cacheDir);
  const notes = await gitNotes({ cacheDir, clock: systemClock, random: Math.random, ...options });
  opened.push(notes);
  return notes;
}

function commits(count: number): CommitId[] {
  return Array.from({ length: count }, (_, at) => repository.commit({ "a.txt": `${at}` }));
}

function shown(commit: CommitId): string {
  return repository.git("notes", "--ref=deployments", "show", commit);
}

const WAYS = [
  ["in a folder, with git", "folder", undefined],
  ["in a folder, without git", "folder", false],
  ["by HTTP, with git", "url", undefined],
  ["by HTTP, without git", "url", false],
] as const;

describe.each(WAYS)("notes %s", (_, where, git) => {
  const options = () => ({
    repository: where === "folder" ? repository.path : server.url,
    ...(git === undefined ? {} : { git }),
  });

  it("are appended to several commits in one step, and git shows them", async () => {
    const [a, b, c] = commits(3) as [CommitId, CommitId, CommitId];
    const notes = await open(options());
    expect(await notes.read([a, b])).toEqual(new Map());
    await notes.append([
      { commit: a, text: "one\n" },
      { commit: b, text: "two\n" },
    ]);
    await notes.append([{ commit: b, text: "three\n" }]);
    expect([shown(a), shown(b)]).toEqual(["one", "two\nthree"]);
    expect(repository.git("rev-list", "--count", "refs/notes/deployments")).toBe("2");
    expect(await notes.read([a, b, c])).toEqual(
      new Map([
        [a, "one\n"],
        [b, "two\nthree\n"],
      ]),
    );
    expect(repository.git("fsck", "--strict", "--no-dangling")).toBe("");
  });

  it("keep what people write, and say nothing twice", async () => {
    const [a] = commits(1) as [CommitId];
    const notes = await open(options());
    await notes.append([{ commit: a, text: "one\n" }]);
    repository.git(
      "-c",
      "user.name=A",
      "-c",
      "user.email=a@b.c",
      "notes",
      "--ref=deployments",
      "append",
      "-m",
      "by hand",
      a,
    );
    await notes.append([
      { commit: a, text: "one\n" },
      { commit: a, text: "hand\n" },
    ]);
    expect(shown(a)).toBe("one\n\nby hand\nhand");
    const before = repository.git("rev-parse", "refs/notes/deployments");
    await notes.append([{ commit: a, text: "hand\n" }]);
    expect(repository.git("rev-parse", "refs/notes/deployments")).toBe(before);
  });

  it("of several writers at once are all kept", async () => {
    const all = commits(3);
    const writers = await Promise.all([1, 2, 3].map(() => open(options())));
    await Promise.all(
      writers.map((notes, writer) => notes.append(all.map((commit) => ({ commit, text: `${writer}\n` })))),
    );
    for (const commit of all) expect(shown(commit).split("\n").sort()).toEqual(["0", "1", "2"]);
  });
});

it("are read and added to in folders, as git makes them of many notes", async () => {
  const all = commits(40);
  const notes = await open({ repository: repository.path });
  await notes.append(all.slice(0, 20).map((commit) => ({ commit, text: `${commit}\n` })));
  const ids = Array.from({ length: 700 }, (_, at) => at.toString(16).padStart(40, "f") as CommitId);
  await notes.append(ids.map((commit) => ({ commit, text: "x\n" })));
  await notes.append(all.slice(20).map((commit) => ({ commit, text: `${commit}\n` })));
  expect(repository.git("ls-tree", "refs/notes/deployments").split("\n").length).toBeLessThan(300);
  for (const commit of all) expect(shown(commit)).toBe(commit);
  // Git brings its own notes into its own shape when it writes one.
  repository.git(
    "-c",
    "user.name=A",
    "-c",
    "user.email=a@b.c",
    "notes",
    "--ref=deployments",
    "append",
    "-m",
    "more",
    all[0] as string,
  );
  expect((await notes.read(all)).size).toBe(40);
  expect(repository.git("fsck", "--strict", "--no-dangling")).toBe("");
});

it("a lock that nobody takes away is told, with the file", async () => {
  const [a] = commits(1) as [CommitId];
  repository.git("update-ref", "refs/notes/other", a);
  writeFileSync(join(repository.path, "refs/notes/deployments.lock"), "");
  const clock = { ...systemClock, sleep: async () => undefined };
  const notes = await open({ repository: repository.path, clock, git: false });
  await expect(notes.append([{ commit: a, text: "x\n" }])).rejects.toMatchObject({
    code: "GIT_FAILED",
    hint: expect.stringContaining("refs/notes/deployments.lock"),
  });
});

it("a server that refuses the push is told as it is", async () => {
  const [a] = commits(1) as [CommitId];
  server.instead = (req, res) => {
    if (!req.url?.includes("receive-pack")) return false;
    res.writeHead(403).end();
    return true;
  };
  const notes = await open({ repository: server.url });
  await expect(notes.append([{ commit: a, text: "x\n" }])).rejects.toMatchObject({ code: "GIT_DENIED" });
});
