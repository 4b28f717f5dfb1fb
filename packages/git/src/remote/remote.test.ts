import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommitId, type Source, systemClock } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GitSourceOptions, gitSource } from "../git-source.ts";
import { gitHttpBackend } from "../server/http-backend.ts";
import { type ScratchRepository, scratchRepository } from "../testing/scratch-repository.ts";
import { remoteAddress } from "./address.ts";

let repository: ScratchRepository;
let cacheDir: string;
let server: Server;
let url: string;
let requests: { path: string; authorization: string | undefined }[];
let answer: "git" | "hang" | number;
/** True: who brings no credentials is asked for them. */
let guarded: boolean;
let sources: Source[];

beforeEach(async () => {
  repository = scratchRepository();
  cacheDir = mkdtempSync(join(tmpdir(), "sluice-cache-"));
  requests = [];
  sources = [];
  answer = "git";
  guarded = false;
  const handler = gitHttpBackend({ repositories: { deploy: repository.path } });
  server = createServer((req, res) => {
    requests.push({ path: req.url ?? "", authorization: req.headers.authorization });
    if (guarded && !req.headers.authorization)
      res.writeHead(401, { "www-authenticate": 'Basic realm="deploy"' }).end();
    else if (answer === "git") void handler(req, res);
    else if (answer !== "hang") res.writeHead(answer).end("no");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/deploy.git`;
});
afterEach(async () => {
  for (const source of sources) await source.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  repository.remove();
  rmSync(cacheDir, { recursive: true, force: true });
});

async function open(options: Partial<GitSourceOptions> = {}): Promise<Source> {
  const defaults = { repository: url, branch: "main", cacheDir, clock: systemClock, random: Math.random };
  const source = await gitSource({ ...defaults, ...options });
  sources.push(source);
  return source;
}

async function paths(source: Source, commit: CommitId | undefined): Promise<string[]> {
  const files = await source.tree(commit as CommitId);
  return files.map((file) => file.path).sort();
}

describe.each([
  ["the git program", {}],
  ["isomorphic-git", { git: false as const }],
])("a remote repository reached by %s", (_, reader) => {
  it("is fetched where its branch moved, forward or by force, and only asked where not", async () => {
    const source = await open(reader);
    expect(await source.head()).toBeUndefined();
    const first = repository.commit({ a: "1" });
    expect(await source.head()).toBe(first);
    expect(await paths(source, first)).toEqual(["a"]);
    const forced = repository.commit({ b: "1" });
    expect(await source.head()).toBe(forced);
    expect((await source.changes(first, forced)).map((change) => change.path).sort()).toEqual(["a", "b"]);
    requests = [];
    expect(await source.head()).toBe(forced);
    expect(requests.filter((one) => one.path.endsWith("/git-upload-pack")).length).toBeLessThanOrEqual(1);
    repository.git("update-ref", "-d", "refs/heads/main");
    expect(await source.head()).toBeUndefined();
    expect(source.watch).toBeUndefined();
  });

  it("takes only the branch that was asked for", async () => {
    repository.commit({ other: "1" }, "main2");
    repository.commit({ other: "1" }, "x/refs/heads/main");
    const source = await open(reader);
    expect(await source.head()).toBeUndefined();
    repository.commit({ a: "0" });
    const commit = repository.commit({ a: "1" }, "feature/x");
    const feature = await open({ ...reader, branch: "feature/x" });
    expect(await feature.head()).toBe(commit);
  });

  it("uses its clone again, but not one of another URL or a damaged one", async () => {
    const commit = repository.commit({ a: "1" });
    expect(await (await open(reader)).head()).toBe(commit);
    const [name] = readdirSync(cacheDir) as [string];
    const again = await open(reader);
    expect(await again.head()).toBe(commit);
    expect(readdirSync(cacheDir)).toEqual([name]);
    writeFileSync(join(cacheDir, name, "sluice-remote"), "http://elsewhere.test/other.git");
    const taken = await open(reader);
    expect(await taken.head()).toBe(commit);
    expect(readFileSync(join(cacheDir, name, "sluice-remote"), "utf8")).toBe(url);
    rmSync(join(cacheDir, name, "objects"), { recursive: true });
    const damaged = await open(reader);
    expect(await damaged.head()).toBe(commit);
    expect(await paths(damaged, commit)).toEqual(["a"]);
  });

  it("may be the remote of many sources that start at once", async () => {
    const branches = ["main", "b1", "b2", "b3"];
    const commits = branches.map((branch) => repository.commit({ [branch]: "1" }, branch));
    const many = await Promise.all(branches.map((branch) => open({ ...reader, branch })));
    expect(await Promise.all(many.map((source) => source.head()))).toEqual(commits);
    for (const [at, source] of many.entries())
      expect(await paths(source, commits[at])).toEqual([branches[at]]);
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  it.each([
    [401, "GIT_DENIED"],
    [403, "GIT_DENIED"],
    [404, "GIT_FAILED"],
    [500, "GIT_FAILED"],
  ])("is unknown, not absent, while it answers %d", async (status, code) => {
    repository.commit({ a: "1" });
    answer = status;
    const source = await open(reader);
    await expect(source.head()).rejects.toMatchObject({ code });
  });

  it("that does not answer is given up after the deadline", async () => {
    answer = "hang";
    const source = await open({ ...reader, timeoutMs: 300 });
    await expect(source.head()).rejects.toMatchObject({
      code: "GIT_FAILED",
      message: expect.stringContaining("300 ms"),
    });
  });

  it("gets its credentials, which appear nowhere else", async () => {
    const commit = repository.commit({ a: "1" });
    const secret = "s3cret-p@ss";
    const withCredentials = url.replace("http://", `http://deployer:${encodeURIComponent(secret)}@`);
    const expected = `Basic ${Buffer.from(`deployer:${secret}`).toString("base64")}`;
    const source = await open({ ...reader, repository: withCredentials });
    guarded = true;
    expect(await source.head()).toBe(commit);
    expect(requests.at(-1)?.authorization).toBe(expected);
    const [name] = readdirSync(cacheDir) as [string];
    const stored = ["config", "sluice-remote"].map((file) =>
      readFileSync(join(cacheDir, name, file), "utf8"),
    );
    expect(stored.join("\n")).not.toContain("s3cret");
    const lost = await open({ ...reader, repository: withCredentials.replace("/deploy.git", "/lost.git") });
    const failure = (await lost.head().catch((error: unknown) => error)) as Error;
    expect(failure.message).not.toContain("s3cret");
    expect(failure.message).not.toContain(expected.slice(6));
  });
});

describe("a remote repository", () => {
  it("may be a file URL", async () => {
    const commit = repository.commit({ a: "1" });
    const source = await open({ repository: `file://${repository.path}` });
    expect(await source.head()).toBe(commit);
    expect(await paths(source, commit)).toEqual(["a"]);
  });

  it("stops asking when its caller does", async () => {
    answer = "hang";
    const source = await open();
    const stop = new AbortController();
    const head = source.head(stop.signal);
    await expect.poll(() => requests.length).toBeGreaterThan(0);
    stop.abort(new Error("enough"));
    await expect(head).rejects.toThrow("enough");
  });
});

describe("an address", () => {
  it.each([
    ["/srv/deploy.git", undefined],
    ["deploy", undefined],
    ["./a:b", undefined],
    ["C:\\repo", undefined],
    ["git@host.test:team/deploy.git", "git@host.test:team/deploy.git"],
    ["host.test:deploy", "host.test:deploy"],
    ["ssh://git@host.test/deploy.git", "ssh://git@host.test/deploy.git"],
    ["https://me:secret@host.test/deploy.git", "https://host.test/deploy.git"],
    ["file:///srv/deploy.git", "file:///srv/deploy.git"],
  ])("%s is reached as %s", (text, reached) => {
    expect(remoteAddress(text)?.url).toBe(reached);
  });

  it.each(["ext::sh -c id", "ext://sh", "ftp://host.test/x", "--upload-pack=id:x", "host:-x"])(
    "%s is never given to git as a URL",
    (text) => {
      let address: unknown;
      try {
        address = remoteAddress(text);
      } catch (error) {
        expect(error).toMatchObject({ code: "USAGE" });
      }
      expect(address).toBeUndefined();
    },
  );
});
