import { execFileSync } from "node:child_process";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A job's file: a Marathon app of an ordinary size. */
export function jobFile(number: number, round: number): string {
  return JSON.stringify({
    id: appOf(number),
    cmd: `exec ./serve --port $PORT0 --name job-${number}`,
    cpus: 0.1,
    mem: 64,
    instances: 1,
    container: { type: "DOCKER", docker: { image: `registry.example.test/team/job-${number}:1.0.${round}` } },
    env: { ROUND: String(round), LOG_LEVEL: "info", UPSTREAM: `http://job-${number + 1}.example.test:8080` },
    labels: { team: `team-${number % 20}` },
  });
}

/** The app's id in Marathon; a hundred in each group. */
export function appOf(number: number): string {
  return `/area-${Math.floor(number / 100)}/job-${number}`;
}

/** What Sluice sends for it: the app with the owner's mark. */
export function appBody(number: number, round: number, owner: string): string {
  const app = JSON.parse(jobFile(number, round)) as { labels: object };
  return JSON.stringify({ ...app, labels: { ...app.labels, "sluice/owner": owner } });
}

/** A deploy repo whose commits are made beforehand, so that a push is no more than the move of its branch. */
export interface JobRepository {
  readonly folder: string;
  /** A commit on top of the newest one, with these jobs as of this round. */
  commit(jobs: Iterable<number>, round: number): string;
  /** Moves the branch as Git does it: a new file, renamed over the old one. */
  push(commit: string): Promise<void>;
  remove(): Promise<void>;
}

export async function jobRepository(): Promise<JobRepository> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-bench-jobs-"));
  const git = (args: readonly string[], input = "") =>
    execFileSync("git", ["-C", folder, ...args], { input, encoding: "utf8" }).trim();
  git(["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  let newest: string | undefined;
  return {
    folder,
    commit(jobs, round) {
      const files = [...jobs].map((number) => {
        const text = jobFile(number, round);
        return `M 100644 inline apps${appOf(number)}.json\ndata ${Buffer.byteLength(text)}\n${text}\n`;
      });
      const head = `commit refs/bench/next\ncommitter Bench <bench@example.test> 1700000000 +0000\ndata 5\nround\n`;
      const from = newest === undefined ? "" : `from ${newest}\n`;
      git(["fast-import", "--quiet", "--force"], head + from + files.join(""));
      newest = git(["rev-parse", "refs/bench/next"]);
      return newest;
    },
    async push(commit) {
      const ref = join(folder, "refs", "heads", "main");
      await writeFile(`${ref}.lock`, `${commit}\n`);
      await rename(`${ref}.lock`, ref);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
