import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collect } from "../harness/engine.ts";
import { freePort } from "../harness/free-port.ts";
import { blockingReader } from "./mirror-reader.ts";
import type { MirrorRepository } from "./mirror-repository.ts";

/** git2consul from npm, installed for this run into a folder of its own. */
export interface Git2Consul {
  /** Milliseconds from the start of the process to its ref key, and from its hook to the ref key for one changed file. */
  measure(address: string, prefix: string, repository: MirrorRepository): Promise<Git2ConsulTimes>;
  remove(): Promise<void>;
}

export interface Git2ConsulTimes {
  readonly first: number;
  readonly oneChange: number;
}

/** Uncapped, it opens a connection for each file and dies at Consul's limit of 200 with exit code 0. */
const CAP_SOCKETS = 'require("http").globalAgent.maxSockets = 32;';
const VERSION = "0.12";
const DEADLINE_MS = 300_000;

/** @throws with npm's last words where it cannot be installed. */
export async function installGit2Consul(): Promise<Git2Consul> {
  const folder = await mkdtemp(join(tmpdir(), "git2consul-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  const args = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error"];
  const child = spawn("npm", [...args, `git2consul@${VERSION}`], { stdio: ["ignore", "pipe", "pipe"] });
  const printed = collect(child);
  const [code] = await once(child, "close");
  if (code !== 0) {
    await remove();
    throw new Error(`npm cannot install git2consul@${VERSION} (${/code (\S+)/.exec(printed.text())?.[1]})`);
  }
  const preload = join(folder, "cap.cjs");
  await writeFile(preload, CAP_SOCKETS);
  return { measure: (...given) => measure(folder, preload, ...given), remove };
}

async function measure(
  folder: string,
  preload: string,
  address: string,
  prefix: string,
  repository: MirrorRepository,
): Promise<Git2ConsulTimes> {
  const port = await freePort();
  const branches = {
    branches: ["main"],
    mountpoint: prefix,
    include_branch_name: false,
    ignore_repo_name: true,
  };
  const hooks = [{ type: "github", port, url: "/hook" }];
  const config = join(folder, `${prefix}.json`);
  const store = await mkdtemp(join(folder, "store-"));
  const repos = [{ name: "bench", url: repository.folder, hooks, ...branches }];
  await writeFile(config, JSON.stringify({ version: "1.0", local_store: store, repos }));
  const { hostname, port: consulPort } = new URL(address);
  const program = join(folder, "node_modules", "git2consul", "index.js");
  const where = ["--endpoint", hostname, "--port", consulPort, "--config-file", config];
  const reader = await blockingReader(address, `${prefix}/main.ref`);
  const startedAt = performance.now();
  const child = spawn(process.execPath, ["--require", preload, program, ...where], { stdio: "ignore" });
  const gone = once(child, "exit").then(([code]) => {
    throw new Error(`git2consul ended with ${code} before it was done`);
  });
  gone.catch(() => undefined);
  const shows = (commit: string) =>
    Promise.race([gone, reader.until((value) => value === commit, DEADLINE_MS)]);
  try {
    const first = (await shows(repository.newest())) - startedAt;
    const commit = await repository.next({ changed: 1 });
    await repository.move(commit);
    const changedAt = performance.now();
    await post(`http://127.0.0.1:${port}/hook`, { ref: "refs/heads/main", head_commit: { id: commit } });
    return { first, oneChange: (await shows(commit)) - changedAt };
  } finally {
    child.kill("SIGKILL");
    reader.close();
  }
}

function post(url: string, body: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "x-github-event": "push" };
    const sent = request(url, { method: "POST", headers }, (response) => {
      response.resume().once("end", () => resolve());
    });
    sent.once("error", reject);
    sent.end(JSON.stringify(body));
  });
}
