import { mkdtempSync, rmSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedConsul } from "@sluice/embedded";
import { describe, expect, it } from "vitest";
import { type History, startHistory } from "../harness/histories.ts";
import { runMirror } from "../harness/histories-mirror.ts";
import { wholeReader } from "../harness/whole-reader.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

const COMMITS = 60;
const TIMES = Number(process.env.SLUICE_RUNS ?? 1);

/** Numbers below a bound that look random and are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Commits that differ by a little, by more than a transaction takes, and now and then by a value beyond one. */
async function manyCommits(random: (below: number) => number): Promise<History> {
  const history = await startHistory();
  for (let nth = 0; nth < COMMITS; nth++) {
    const count = nth % 4 === 0 ? 150 + random(100) : 1 + random(20);
    const edits = Array.from({ length: count }, () => {
      const which = random(200);
      return random(5) === 0
        ? { do: "delete" as const, nth: which }
        : { do: "put" as const, path: `d${which % 9}/f${which}`, content: `${nth} ${random(9)}` };
    });
    const large = { do: "put" as const, path: "large", content: { size: 390 * 1024 + nth, seed: nth } };
    await history.play({ do: "commit", merge: undefined, edits: nth % 10 === 3 ? [...edits, large] : edits });
  }
  return history;
}

/** Moves the branch as git does, by a rename, without the time a process takes. */
async function pushTo(repository: string, commit: string): Promise<void> {
  const ref = join(repository, "refs/heads/main");
  await writeFile(`${ref}.lock`, `${commit}\n`);
  await rename(`${ref}.lock`, ref);
}

async function neverShowsAMix(server: Server, syncs: number): Promise<void> {
  const random = numbers(20);
  const history = await manyCommits(random);
  const prefix = "whole/";
  const running = await runMirror({ address: server.address, prefix, repository: history.repository.folder });
  await running.passed();
  const reader = wholeReader(server.address, prefix);
  for (let sync = 0, at = 0; sync < syncs; sync++) {
    // Mostly to a neighbour, forward or backward, and now and then far away.
    at = (at + (random(5) === 0 ? 2 + random(COMMITS - 4) : random(2) * 2 - 1) + COMMITS) % COMMITS;
    const { id } = history.commits[at] ?? { id: "" };
    await pushTo(history.repository.folder, id);
    await running.synced(id);
  }
  await running.stop();
  await reader.stop();
  await history.repository.remove();
  const synced = running.sink.of("mirror.synced");
  expect(reader.mixes).toEqual([]);
  expect(running.sink.of("mirror.failed")).toEqual([]);
  expect(synced.length).toBeGreaterThan(syncs * 0.9);
  expect(synced.filter((event) => event.transactions > 1).length).toBeGreaterThan(syncs * 0.2);
  expect(reader.checks()).toBeGreaterThan(syncs * 0.3);
  expect(reader.revisions()).toBeGreaterThan(COMMITS * 0.5);
  expect(reader.applying()).toBeGreaterThan(syncs * 0.02);
}

const SENTENCE = "a reader that follows the marker sees whole revisions only, sync after sync";

describe("readers of the embedded Consul", () => {
  it(SENTENCE, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "sluice-consul-"));
    const server = await embeddedConsul({ dataDir });
    try {
      await neverShowsAMix(server, 700 * TIMES);
    } finally {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  }, 600_000);
});

describeWithServer("readers of a real Consul", { consul: hasConsul() }, () => {
  it(SENTENCE, async () => {
    const server = (await startRealConsul()) as Server;
    try {
      await neverShowsAMix(server, 300 * TIMES);
    } finally {
      await server.stop();
    }
  }, 600_000);
});
