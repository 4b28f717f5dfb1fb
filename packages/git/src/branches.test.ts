import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { systemClock } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listBranches } from "./branches.ts";
import { watchBranches } from "./refs/watch-branches.ts";
import { gitHttpBackend } from "./server/http-backend.ts";
import { type ScratchRepository, scratchRepository } from "./testing/scratch-repository.ts";

let repository: ScratchRepository;
beforeEach(() => {
  repository = scratchRepository();
});
afterEach(() => repository.remove());

async function list(address = repository.path, git?: string | false) {
  const found = await listBranches({
    repository: address,
    clock: systemClock,
    ...(git === undefined ? {} : { git }),
  });
  return [...found].sort();
}

describe("the branches of a local repository", () => {
  it("are those that are loose, packed or both, at any depth, and no tags, notes or locks", async () => {
    repository.commit({ a: "1" });
    for (const name of ["feature/a", "feature/deep/b", "heads/x"]) repository.git("branch", name);
    repository.git("pack-refs", "--all");
    for (const name of ["feature/c", "main-2"]) repository.git("branch", name);
    repository.commit({ a: "2" }, "feature/a");
    repository.git("tag", "v1");
    repository.git("tag", "feature/tagged");
    repository.git("update-ref", "refs/notes/x", "main");
    writeFileSync(join(repository.path, "refs/heads/being-made.lock"), "");
    expect(await list()).toEqual(["feature/a", "feature/c", "feature/deep/b", "heads/x", "main", "main-2"]);
  });

  it("are none where there is none, which is not a failure", async () => {
    expect(await list()).toEqual([]);
  });

  it("include one whose ref is damaged: git itself would leave it out", async () => {
    repository.commit({ a: "1" });
    writeFileSync(join(repository.path, "refs/heads/damaged"), "");
    expect(repository.git("for-each-ref", "--format=%(refname)", "refs/heads/")).toBe("refs/heads/main");
    expect(await list()).toEqual(["damaged", "main"]);
  });

  it.each([
    ["there is no repository", () => rmSync(repository.path, { recursive: true })],
    [
      "its folder of branches is gone",
      () => rmSync(join(repository.path, "refs/heads"), { recursive: true }),
    ],
    [
      "its packed branches are cut short",
      () => writeFileSync(join(repository.path, "packed-refs"), "# pack"),
    ],
    ["its packed branches are no file", () => mkdirSync(join(repository.path, "packed-refs"))],
    [
      "a folder of branches is a file",
      () => {
        rmSync(join(repository.path, "refs"), { recursive: true });
        writeFileSync(join(repository.path, "refs"), "");
      },
    ],
  ])("are not told where %s", async (_, damage) => {
    repository.commit({ a: "1" });
    damage();
    await expect(list()).rejects.toMatchObject({ code: "GIT_FAILED" });
  });
});

describe("the branches of a repository behind HTTP", () => {
  let server: Server;
  let url: string;
  let cut: number | undefined;
  beforeEach(async () => {
    cut = undefined;
    const serve = gitHttpBackend({ repositories: { deploy: repository.path } });
    const stop = new AbortController();
    server = createServer((request, response) => {
      if (cut === undefined) return void serve(request, response, stop.signal);
      const version2 = "001e# service=git-upload-pack\n0000";
      const refs = ["feature/a", "feature/b", "main"].map((name) => {
        const line = `${"1".repeat(40)} refs/heads/${name}\n`;
        return (line.length + 4).toString(16).padStart(4, "0") + line;
      });
      response.setHeader("content-type", "application/x-git-upload-pack-advertisement");
      response.end(`${version2}${refs.join("")}0000`.slice(0, cut));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/deploy.git`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it.each([
    ["by the git program", "git" as const],
    ["without it", false as const],
  ])("are listed %s, without tags", async (_, git) => {
    repository.commit({ a: "1" });
    repository.git("branch", "feature/a");
    repository.git("tag", "v1");
    expect(await list(url, git)).toEqual(["feature/a", "main"]);
    repository.git("branch", "-D", "feature/a");
    expect(await list(url, git)).toEqual(["main"]);
  });

  it.each([
    ["by the git program", "git" as const],
    ["without it", false as const],
  ])("are not told where the answer is cut short, however it is asked: %s", async (_, git) => {
    // After the first branch, after the second, in the middle of the third, and without the last four bytes.
    for (const end of [38 + 64 - 4, 38 + 124 - 4, 38 + 150, -4]) {
      cut = end;
      await expect(list(url, git)).rejects.toMatchObject({ code: "GIT_FAILED" });
    }
  });

  it("are not told where nobody answers", async () => {
    await new Promise((resolve) => server.close(resolve));
    await expect(list(url)).rejects.toMatchObject({ code: "GIT_FAILED" });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
});

describe("watching branches", () => {
  it.each([
    ["is made", () => repository.git("branch", "other")],
    ["is made in a new folder", () => repository.git("branch", "feature/new/b")],
    ["is moved in a folder", () => repository.commit({ a: "2" }, "feature/a")],
    ["is deleted with its folder", () => repository.git("branch", "-D", "feature/a")],
    ["is packed", () => repository.git("pack-refs", "--all")],
  ])("hints at one that %s, and ends with its signal", async (_, change) => {
    repository.commit({ a: "1" });
    repository.commit({ a: "1" }, "feature/a");
    const stop = new AbortController();
    const hints = watchBranches(repository.path, { signal: stop.signal })[Symbol.asyncIterator]();
    expect((await hints.next()).done).toBe(false);
    const next = hints.next();
    change();
    expect((await next).done).toBe(false);
    stop.abort();
    for (let hint = await hints.next(); !hint.done; hint = await hints.next());
  });

  it("goes on in a folder that was made after it began", async () => {
    repository.commit({ a: "1" });
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const _ of watchBranches(repository.path, { signal: stop.signal })) seen.push("hint");
    })();
    await expect.poll(() => seen.length).toBeGreaterThan(0);
    repository.commit({ a: "1" }, "feature/new/a");
    await expect.poll(() => seen.length).toBeGreaterThan(1);
    await new Promise((resolve) => setImmediate(resolve));
    const before = seen.length;
    repository.commit({ a: "2" }, "feature/new/a");
    await expect.poll(() => seen.length).toBeGreaterThan(before);
    stop.abort();
    await watching;
  });
});
