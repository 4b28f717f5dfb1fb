import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type GitSource, type GitSourceOptions, gitSource } from "./git-source.ts";
import { type ScratchRepository, scratchRepository } from "./testing/scratch-repository.ts";

let repository: ScratchRepository;
let sources: GitSource[];

beforeEach(() => {
  repository = scratchRepository();
  sources = [];
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const source of sources) await source.close();
  repository.remove();
});

async function open(options: Partial<GitSourceOptions> = {}): Promise<GitSource> {
  const cacheDir = join(repository.path, "unused");
  const defaults = { repository: repository.path, branch: "main", cacheDir, clock: systemClock };
  const source = await gitSource({ ...defaults, random: Math.random, ...options });
  sources.push(source);
  return source;
}

/** A git program that does this when it is asked for its version. */
function gitWhoseVersion(does: string): string {
  const program = join(repository.path, "own-git");
  writeFileSync(program, `#!/bin/sh\nif [ "$1" = --version ]; then ${does}; fi\nexec git "$@"\n`, {
    mode: 0o755,
  });
  return program;
}

async function contents(source: GitSource): Promise<string[]> {
  const commit = await source.head();
  const oids = (commit ? await source.tree(commit) : []).map(({ oid }) => oid);
  if (source.blobs.sizes) expect(await source.blobs.sizes(oids)).toEqual(oids.map(() => 1));
  const texts: string[] = [];
  for await (const bytes of source.blobs.read(oids)) texts.push(Buffer.from(bytes).toString());
  return texts.sort();
}

describe("a local repository", () => {
  it("is open before git told its version, and its objects wait for that", async () => {
    const commit = repository.commit({ a: "1", b: "2" });
    const go = join(repository.path, "go");
    const git = gitWhoseVersion(`while ! [ -e '${go}' ]; do sleep 0.01; done`);
    const source = await open({ git });
    expect(await source.head()).toBe(commit);
    let told = false;
    const read = contents(source).finally(() => {
      told = true;
    });
    await expect.poll(() => repository.childrenOf(process.pid, "--version")).toHaveLength(1);
    expect(told).toBe(false);
    writeFileSync(go, "");
    expect(await read).toEqual(["1", "2"]);
  });

  it("is closed while git owes its version, and no child stays", async () => {
    repository.commit({ a: "1" });
    const source = await open({ git: gitWhoseVersion("while :; do sleep 0.01; done") });
    await source.close();
    await expect.poll(() => repository.childrenOf(process.pid, "own-git")).toEqual([]);
    expect(repository.childrenOf(process.pid, "cat-file")).toEqual([]);
  });

  it("has git ready before it is asked, and lets go of it unasked", async () => {
    repository.commit({ a: "1" });
    const source = await open();
    await expect.poll(() => repository.childrenOf(process.pid, "cat-file")).toHaveLength(1);
    await source.close();
    await expect.poll(() => repository.childrenOf(process.pid, "cat-file")).toEqual([]);
  });

  it("that is not there yet is read once it came", async () => {
    const path = join(repository.path, "later");
    const source = await open({ repository: path });
    await expect(source.head()).rejects.toMatchObject({ code: "GIT_FAILED" });
    const commit = repository.commit({ a: "1" });
    repository.git("clone", "--quiet", "--bare", repository.path, path);
    expect(await source.head()).toBe(commit);
    expect(await contents(source)).toEqual(["1"]);
  });

  it("is read without git where there is none, and then tells no lengths", async () => {
    repository.commit({ a: "1" });
    const said: string[] = [];
    vi.stubEnv("PATH", join(repository.path, "nowhere"));
    const source = await open({ log: (message) => said.push(message) });
    vi.unstubAllEnvs();
    expect(source.blobs).not.toHaveProperty("sizes");
    expect(said).toEqual([expect.stringContaining("no git program was found")]);
    expect(await contents(source)).toEqual(["1"]);
  });

  it("is read without git where git turns out not to work", async () => {
    repository.commit({ a: "1", b: "2" });
    const said: string[] = [];
    const folder = join(repository.path, "bin");
    mkdirSync(folder);
    writeFileSync(join(folder, "git"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    vi.stubEnv("PATH", folder);
    const source = await open({ log: (message) => said.push(message) });
    vi.unstubAllEnvs();
    expect(await contents(source)).toEqual(["1", "2"]);
    expect(said).toEqual([expect.stringContaining("no git program was found")]);
  });
});
