import { type ChildProcess, execFile, execFileSync, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type CommitId, type Source, systemClock } from "@sluice/core";
import { gitSource } from "@sluice/git";
import { type Bench, percentile, type Report } from "./bench.ts";

const SERVER = fileURLToPath(new URL("./git-http-server.ts", import.meta.url));
const FILE_BYTES = 1024;
const POLLS = 50;
const CHANGES = 10;

/** What a deploy repo elsewhere costs: to clone, to read the first time, to ask for news, and to fetch one changed file. */
export const fetchBench: Bench = {
  name: "fetch",
  about:
    "a repository over HTTP with the git program and without: clone, first read, idle poll, one changed file",
  async run(report) {
    const small = await measure(10_000, "git", report);
    await measure(10_000, "no git program", report);
    const large = await measure(100_000, "git", report);
    report.add({
      figure: "idle poll p50, 100,000 / 10,000 files",
      value: large / small,
      unit: "x",
      target: "<= 1.5",
    });
  },
};

interface Place {
  readonly folder: string;
  readonly repository: string;
  readonly url: string;
}

/** @returns the idle poll's median. */
async function measure(files: number, way: "git" | "no git program", report: Report): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-fetch-"));
  const repository = join(folder, "deploy.git");
  report.say(`${files} files, ${way}`);
  makeRepository(repository, files);
  const server = await startServer(repository);
  const place = { folder, repository, url: `http://127.0.0.1:${server.port}/deploy.git` };
  const source = await gitSource({
    repository: place.url,
    branch: "main",
    cacheDir: join(folder, "clones"),
    clock: systemClock,
    random: Math.random,
    timeoutMs: 300_000,
    ...(way === "git" ? {} : { git: false as const }),
  });
  const title = `${files.toLocaleString("en")} files, ${way}`;
  const add = (figure: string, value: number, unit = "ms", target: string | null = null) =>
    report.add({ figure: `${title}: ${figure}`, value, unit, target });
  try {
    const cloned = await timed(() => source.head());
    add("clone", cloned.ms);
    add("first read of every file", (await timed(() => readAll(source, cloned.result as CommitId))).ms);
    const idle = await idlePolls(source);
    add("idle poll p50", percentile(idle.samples, 0.5));
    add("idle poll CPU, processes included", idle.cpuMs, "ms", "<= 10");
    if (way === "git") {
      add("beside it, git ls-remote CPU", await cpuOfGit(["ls-remote", "--", place.url, "refs/heads/main"]));
      const clone = ["clone", "--quiet", "--bare", "--", place.url, join(folder, "plain.git")];
      add("beside it, git clone", (await timed(() => promisify(execFile)("git", clone))).ms);
      const fetch = [`--git-dir=${join(folder, "plain.git")}`, "fetch", "--quiet", "--", place.url, "main"];
      add("beside it, git fetch of nothing CPU", await cpuOfGit(fetch));
    }
    add("one changed file p50", percentile(await changedFiles(source, place), 0.5));
    return percentile(idle.samples, 0.5);
  } finally {
    await source.close();
    server.child.disconnect();
    await rm(folder, { recursive: true, force: true });
  }
}

async function readAll(source: Source, commit: CommitId): Promise<void> {
  const files = await source.tree(commit);
  let bytes = 0;
  for await (const blob of source.blobs.read(files.map((file) => file.oid))) bytes += blob.byteLength;
  if (bytes < files.length * FILE_BYTES) throw new Error(`only ${bytes} bytes were read`);
}

async function idlePolls(source: Source): Promise<{ samples: number[]; cpuMs: number }> {
  for (let warm = 0; warm < 10; warm++) await source.head();
  const samples: number[] = [];
  const before = cpu();
  for (let poll = 0; poll < POLLS; poll++) samples.push((await timed(() => source.head())).ms);
  return { samples, cpuMs: (cpu() - before) / POLLS };
}

/** From the start of the poll to the bytes of the one file that changed. */
async function changedFiles(source: Source, { repository }: Place): Promise<number[]> {
  const samples: number[] = [];
  for (let change = 0; change < CHANGES; change++) {
    const before = (await source.head()) as CommitId;
    commit(repository, `from refs/heads/main^0\nM 100644 inline d3/changed\n${data(`change ${change}`)}`);
    const { ms } = await timed(async () => {
      const after = (await source.head()) as CommitId;
      const changes = await source.changes(before, after);
      const oids = changes.flatMap(({ to }) => (to ? [to.oid] : []));
      if (oids.length !== 1) throw new Error(`${oids.length} files changed where one did`);
      for await (const _ of source.blobs.read(oids));
    });
    samples.push(ms);
  }
  return samples;
}

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { ms: performance.now() - start, result };
}

/** Milliseconds of CPU of this process and of its children that ended (proc(5): fields 14 to 17, in hundredths of a second). */
function cpu(): number {
  const fields = readFileSync("/proc/self/stat", "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const children = Number(fields[13]) + Number(fields[14]);
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + children * 10;
}

async function cpuOfGit(args: readonly string[]): Promise<number> {
  const rounds = 20;
  const before = cpu();
  for (let round = 0; round < rounds; round++) await promisify(execFile)("git", args);
  return (cpu() - before) / rounds;
}

function startServer(repository: string): Promise<{ child: ChildProcess; port: number }> {
  const execArgv = ["--conditions=source", "--import", "tsx"];
  const child = fork(SERVER, [repository], { execArgv });
  return new Promise((resolve, reject) => {
    child.once("message", (port) => resolve({ child, port: Number(port) }));
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
}

function makeRepository(repository: string, files: number): void {
  execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", "--", repository]);
  const body = Array.from({ length: files }, (_, at) => {
    const text = `${at} `.repeat(Math.ceil(FILE_BYTES / `${at} `.length)).slice(0, FILE_BYTES);
    return `M 100644 inline d${at % 100}/f${at}\n${data(text)}`;
  });
  commit(repository, body.join(""));
}

function commit(repository: string, body: string): void {
  const head = `commit refs/heads/main\ncommitter A <a@example.test> 1700000000 +0000\n${data("x")}`;
  execFileSync("git", ["-C", repository, "fast-import", "--quiet", "--force"], {
    input: head + body,
    maxBuffer: 2 ** 30,
  });
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}
