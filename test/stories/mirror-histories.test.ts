import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedConsul } from "@sluice/embedded";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { aHistory, expectedFiles, type Step, startHistory } from "../harness/histories.ts";
import { differences } from "../harness/histories-expected.ts";
import { plantNeighbours, rawMirrored, runMirror } from "../harness/histories-mirror.ts";
import { soak } from "../harness/histories-soak.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

let runs = 0;

/** Plays a history; after every step the KV is the newest commit that was not refused. */
async function mirrorsEveryStep(address: string, folder: string, steps: readonly Step[]): Promise<void> {
  const prefix = `run${++runs}/`;
  const neighbours = await plantNeighbours(address, prefix);
  const history = await startHistory(folder);
  const start = () => runMirror({ address, prefix, repository: history.repository.folder, folder });
  let running = await start();
  let good: { commit: string; files: Map<string, Buffer> } | undefined;
  try {
    for (const [at, step] of steps.entries()) {
      await history.play(step);
      if (at % 5 === 4) {
        await running.stop();
        running = await start();
      }
      await running.passed();
      const tip = history.tip();
      const files = tip && expectedFiles(tip.tree, folder);
      if (tip && files) good = { commit: tip.id, files };
      const expected = good && { ...good, neighbours, prefix };
      await eventually(
        `step ${at} (${step.do}) is mirrored`,
        async () => {
          const seen = await rawMirrored(address, prefix);
          const problems = expected ? differences(seen, expected) : [...seen.files.keys()];
          if (problems.length > 0) throw new Error(problems.join("; "));
          return true;
        },
        5_000,
      );
    }
    expect(running.sink.of("mirror.failed")).toEqual([]);
  } finally {
    await running.stop();
    await history.repository.remove();
  }
}

function theHistories(start: () => Promise<Server>): void {
  let server: Server;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  it.each([
    ["the whole repository", "", 20],
    ["one folder of it", "cfg", 8],
  ])(
    "mirrors every step of any history exactly, and touches nothing else (%s)",
    async (_, folder, numRuns) => {
      await fc.assert(
        fc.asyncProperty(aHistory({ steps: 12 }), (steps) => mirrorsEveryStep(server.address, folder, steps)),
        soak(numRuns),
      );
    },
    600_000,
  );
}

describe("histories in the embedded Consul", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-consul-"));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
  theHistories(() => embeddedConsul({ dataDir }));
});

describeWithServer("histories in a real Consul", { consul: hasConsul() }, () => {
  theHistories(async () => (await startRealConsul()) as Server);
});
