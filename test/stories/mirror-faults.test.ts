import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedConsul } from "@sluice/embedded";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { type FaultProxy, faultProxy } from "../harness/fault-proxy.ts";
import { type Planned, planned, someFaults } from "../harness/fault-proxy-kinds.ts";
import {
  aHistory,
  type Commit,
  expectedFiles,
  type History,
  type Step,
  startHistory,
} from "../harness/histories.ts";
import { differences } from "../harness/histories-expected.ts";
import { plantNeighbours, rawMirrored, runMirror } from "../harness/histories-mirror.ts";
import { soak } from "../harness/histories-soak.ts";
import { type WholeReader, wholeReader } from "../harness/whole-reader.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

/** Far longer than Consul takes for anything here, and short enough to wait for many times. */
const TIMEOUT_MS = 300;

let runs = 0;

/** A branch that is not there and a revision that is refused leave no trace to wait for: the last step ends at a good one. */
async function endAtGood(history: History): Promise<Commit> {
  const tip = history.tip();
  if (tip && expectedFiles(tip.tree)) return tip;
  await history.play({
    do: "commit-root",
    edits: [{ do: "put", path: "the end", content: "end" }],
  });
  return history.tip() as Commit;
}

async function endsAtTheTree(
  server: Server,
  proxy: FaultProxy,
  steps: readonly Step[],
  faults: readonly Planned[],
) {
  const prefix = `run${++runs}/`;
  const neighbours = await plantNeighbours(server.address, prefix);
  const history = await startHistory();
  await history.play(steps[0] as Step);
  proxy.intercept(planned(faults, TIMEOUT_MS));
  const reader: WholeReader = wholeReader(server.address, prefix);
  const repository = history.repository.folder;
  const running = await runMirror({ address: proxy.address, prefix, repository, timeoutMs: TIMEOUT_MS });
  try {
    for (const step of steps.slice(1)) {
      await running.passed();
      await history.play(step);
    }
    const { id: commit, tree } = await endAtGood(history);
    const expected = { commit, files: expectedFiles(tree) ?? new Map(), neighbours, prefix };
    const arrives = () =>
      eventually("the last commit is mirrored", async () => {
        const problems = differences(await rawMirrored(server.address, prefix), expected);
        if (problems.length > 0) throw new Error(problems.join("; "));
        return true;
      });
    await running.passed();
    await arrives();
    await proxy.settled();
    // What arrived late changed nothing, or was seen and undone.
    await running.passed();
    await arrives();
    expect(reader.mixes).toEqual([]);
  } finally {
    proxy.intercept(undefined);
    await proxy.settled();
    await running.stop();
    await reader.stop();
    await history.repository.remove();
  }
}

function theFaults(start: () => Promise<Server>): void {
  let server: Server;
  let proxy: FaultProxy;
  beforeAll(async () => {
    server = await start();
    proxy = await faultProxy(server.address);
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });

  it("any history with any faults on the way to Consul ends at the commit's tree, and no reader saw a mix", async () => {
    await fc.assert(
      fc.asyncProperty(aHistory({ steps: 4 }), someFaults({ faults: 5, nth: 40 }), (steps, faults) =>
        endsAtTheTree(server, proxy, steps, faults),
      ),
      soak(12),
    );
  }, 600_000);
}

describe("faults on the way to the embedded Consul", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-consul-"));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
  theFaults(() => embeddedConsul({ dataDir }));
});

describeWithServer("faults on the way to a real Consul", { consul: hasConsul() }, () => {
  theFaults(async () => (await startRealConsul()) as Server);
});
