import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type CommitId, commitId, type Source, systemClock } from "@sluice/core";
import { reviewer } from "@sluice/deployer";
import { schedulerKind } from "@sluice/schedulers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../config/load.ts";
import { type Environment, environmentsOf } from "./environment.ts";

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 12345\n`;
const LFS = "filter=lfs diff=lfs merge=lfs -text\n";

let folder: string;
let repository: string;
let sources: Source[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-presented-"));
  repository = join(folder, "repository");
  sources = [];
  git("init", "-q", "-b", "main", "--", repository);
});
afterEach(async () => {
  for (const source of sources) await source.close();
  rmSync(folder, { recursive: true });
});

function git(...args: string[]): string {
  const who = ["-c", "user.name=A. Person", "-c", "user.email=person@example.test"];
  // Where Git LFS is installed, it would want to make pointers of its own.
  const plain = ["-c", "filter.lfs.clean=cat", "-c", "filter.lfs.process="];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return execFileSync("git", [...who, ...plain, ...args], { env, encoding: "utf8" }).trim();
}

function commit(files: Readonly<Record<string, string>>): CommitId {
  git("-C", repository, "rm", "-rqf", "--ignore-unmatch", ".");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), text);
  }
  git("-C", repository, "add", "-A");
  git("-C", repository, "commit", "-q", "--allow-empty", "-m", "change");
  return commitId(git("-C", repository, "rev-parse", "HEAD"));
}

function environment(lines: readonly string[] = []): Environment {
  const text = ["environments:", "  live:", "    source:", `      repository: ${JSON.stringify(repository)}`];
  const config = parseConfig(
    Buffer.from([...text, "      branch: main", ...lines, ""].join("\n")),
    "sluice.yaml",
  );
  const embedded = { consul: "", marathon: "", chronos: "" };
  const all = environmentsOf({ ...config, dataDir: folder }, embedded, systemClock, () => 0.5, schedulerKind);
  return all[0] as Environment;
}

async function open(one: Environment): Promise<Source> {
  const source = await one.openSource();
  sources.push(source);
  return source;
}

async function kinds(source: Source, at: CommitId): Promise<Record<string, string>> {
  return Object.fromEntries((await source.tree(at)).map(({ path, kind }) => [path, kind]));
}

describe("the source of an environment", () => {
  it("names pointers of Git LFS by a .gitattributes that its globs leave out", async () => {
    const before = commit({ "a.bin": POINTER, "b.txt": "1" });
    const after = commit({ ".gitattributes": `*.bin ${LFS}`, "a.bin": POINTER, "b.txt": "1" });
    const source = await open(environment(['      exclude: ["**/.*"]']));
    expect(await kinds(source, before)).toEqual({ "a.bin": "file", "b.txt": "file" });
    expect(await kinds(source, after)).toEqual({ "a.bin": "lfs", "b.txt": "file" });
    const changes = await source.changes(before, after);
    expect(changes.map(({ path, from, to }) => [path, from?.kind, to?.kind])).toEqual([
      ["a.bin", "file", "lfs"],
    ]);
  });

  it("names pointers of Git LFS in its folder by a .gitattributes above it", async () => {
    const files = { "live/a.bin": POINTER, "live/b.txt": POINTER, "other/a.bin": POINTER };
    const before = commit(files);
    const after = commit({ ...files, ".gitattributes": `*.bin ${LFS}` });
    const one = environment(["      path: live"]);
    expect(await kinds(await open(one), after)).toEqual({ "a.bin": "lfs", "b.txt": "file" });
    const changes = await (await open(one)).changes(before, after);
    expect(changes.map(({ path, from, to }) => [path, from?.kind, to?.kind])).toEqual([
      ["a.bin", "file", "lfs"],
    ]);
  });

  it("makes no keys of pointers of Git LFS where it has a layout", async () => {
    const at = commit({ ".gitattributes": `*.json ${LFS}`, "a.json": POINTER, "b.json": '{"x": 1}' });
    const source = await open(
      environment([
        "      include: ['*.json']",
        "    layout: { prefix: configs, ref: main.ref, expand: true }",
      ]),
    );
    expect(await kinds(source, at)).toEqual({ "a.json": "lfs", "configs/b.json/x": "file" });
  });

  it("shows the checks of a push no job in a pointer of Git LFS", async () => {
    const one = environment(["    targets: { apps: { type: marathon } }"]);
    const job = "id: /web\ncmd: sleep 100\n";
    const base = { ".gitattributes": `apps/large.yaml ${LFS}`, "apps/web.yaml": job };
    const before = commit(base);
    const after = commit({ ...base, "apps/large.yaml": POINTER });
    const without = commit({ "apps/web.yaml": job, "apps/large.yaml": POINTER });
    const review = async (to: CommitId) =>
      reviewer({ formats: one.formats }).review(await open(one), before, to, AbortSignal.timeout(20_000));
    expect(await review(after)).toMatchObject({ problems: [], changes: [] });
    expect((await review(without)).problems.map(({ file }) => file)).toEqual(["apps/large.yaml"]);
  });
});
