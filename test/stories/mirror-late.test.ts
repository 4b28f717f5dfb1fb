import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedConsul } from "@sluice/embedded";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { type FaultProxy, faultProxy, type Passing } from "../harness/fault-proxy.ts";
import { type Edit, expectedFiles, type History, startHistory } from "../harness/histories.ts";
import { differences } from "../harness/histories-expected.ts";
import { plantNeighbours, type RunningMirror, rawMirrored, runMirror } from "../harness/histories-mirror.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

const TIMEOUT_MS = 300;

/** A request that the mirror has given up, and that reaches Consul when it is let go. */
interface Held {
  readonly taken: Promise<void>;
  /** Resolves once Consul has answered it. */
  letGo(): Promise<void>;
}

let runs = 0;

function many(text: string): Edit[] {
  return Array.from({ length: 200 }, (_, at) => ({ do: "put", path: `f${at}`, content: `${text} ${at}` }));
}

function large(seed: number): Edit[] {
  return [{ do: "put", path: "large", content: { size: 450_000, seed } }];
}

function isLargeValue({ method, url }: Passing): boolean {
  return method === "PUT" && url.includes("files/large");
}

function theLateOnes(start: () => Promise<Server>): void {
  let server: Server;
  let proxy: FaultProxy;
  let history: History;
  let running: RunningMirror;
  let prefix: string;
  let neighbours: Awaited<ReturnType<typeof plantNeighbours>>;

  beforeAll(async () => {
    server = await start();
    proxy = await faultProxy(server.address);
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    prefix = `late${++runs}/`;
    neighbours = await plantNeighbours(server.address, prefix);
    history = await startHistory();
  });
  afterEach(async () => {
    proxy.intercept(undefined);
    await running.stop();
    await history.repository.remove();
  });

  /** Mirrors one commit, then makes a second and holds the first request to write it for which `which` holds. */
  async function holdFirst(
    edits: readonly [Edit[], Edit[]],
    which: (passing: Passing) => boolean,
  ): Promise<Held> {
    await history.play({ do: "commit", merge: undefined, edits: edits[0] });
    running = await runMirror({
      address: proxy.address,
      prefix,
      repository: history.repository.folder,
      timeoutMs: TIMEOUT_MS,
    });
    await running.passed();
    let open: () => void = () => undefined;
    let arrived: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (open = resolve));
    const answered = new Promise<void>((resolve) => (arrived = resolve));
    const taken = new Promise<void>((resolve) => {
      let done = false;
      const atList = (passing: Passing) => duringList?.(passing);
      proxy.intercept((passing) => {
        if (done || !which(passing)) return atList(passing);
        done = true;
        resolve();
        return { hold: () => released, answered: async () => arrived() };
      });
    });
    await history.play({ do: "commit", merge: undefined, edits: edits[1] });
    running.wake();
    await taken;
    return {
      taken,
      letGo() {
        open();
        return answered;
      },
    };
  }
  let duringList: ((passing: Passing) => { answered: () => Promise<unknown> } | undefined) | undefined;

  async function goBack(): Promise<string[]> {
    await history.play({ do: "move", nth: 0 });
    await running.passed();
    return problems();
  }
  async function problems(): Promise<string[]> {
    const { id: commit, tree } = history.commits[0] ?? { id: "", tree: new Map() };
    const expected = { commit, files: expectedFiles(tree) ?? new Map(), neighbours, prefix };
    return differences(await rawMirrored(server.address, prefix), expected);
  }
  async function isBack(): Promise<void> {
    await eventually("the first commit is back", async () =>
      (await problems()).length === 0 ? true : undefined,
    );
  }

  it("a chunk that arrives after the mirror gave it up, and after it looked again, does not count", async () => {
    let chunks = 0;
    const isSecondChunk = ({ url, body }: Passing) =>
      url.startsWith("/v1/txn") && body.includes("/files/") && ++chunks === 2;
    const held = await holdFirst([many("one"), many("two")], isSecondChunk);
    await history.play({ do: "move", nth: 0 });
    duringList = ({ url }) => {
      if (!url.includes("/files/?recurse")) return undefined;
      duringList = undefined;
      return { answered: () => held.letGo() };
    };
    await goBack();
    expect(duringList).toBeUndefined();
    await isBack();
    await running.passed();
    expect(await problems()).toEqual([]);
  });

  it("a large value that arrives after the mirror gave it up, and after it looked again, does not count", async () => {
    const held = await holdFirst([large(1), large(2)], isLargeValue);
    duringList = ({ url }) => {
      if (!url.includes("/files/?recurse")) return undefined;
      duringList = undefined;
      return { answered: () => held.letGo() };
    };
    await goBack();
    expect(duringList).toBeUndefined();
    await isBack();
  });

  it("a large value that arrives after the revision before it was whole again does not count", async () => {
    const held = await holdFirst([large(1), large(2)], isLargeValue);
    await goBack();
    await isBack();
    await held.letGo();
    expect(await problems()).toEqual([]);
  });

  it("a large value that arrives after another mirror took over does not count", async () => {
    const held = await holdFirst([large(1), large(2)], isLargeValue);
    await running.stop();
    await history.play({ do: "move", nth: 0 });
    running = await runMirror({ address: server.address, prefix, repository: history.repository.folder });
    await running.passed();
    await isBack();
    await held.letGo();
    expect(await problems()).toEqual([]);
  });
}

describe("requests that reach the embedded Consul late", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-consul-"));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
  theLateOnes(() => embeddedConsul({ dataDir }));
});

describeWithServer("requests that reach a real Consul late", { consul: hasConsul() }, () => {
  theLateOnes(async () => (await startRealConsul()) as Server);
});
