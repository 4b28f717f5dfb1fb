import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { embeddedConsul } from "@sluice/embedded";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { type FaultProxy, faultProxy } from "../harness/fault-proxy.ts";
import { expectedFiles, type History, startHistory } from "../harness/histories.ts";
import { differences } from "../harness/histories-expected.ts";
import { ENVIRONMENT, plantNeighbours, rawMirrored, runMirror } from "../harness/histories-mirror.ts";
import { wholeReader } from "../harness/whole-reader.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

const CHILD = fileURLToPath(new URL("../harness/histories-mirror-child.ts", import.meta.url));

/** Files of the commit that is crashed into, and the requests at which it is: of a run that is left alone there are fewer than twenty. */
const SIZES = [
  { name: "ten changes", count: 10, at: [3, 5, 7, 9, 10, 11, 12, 13] },
  {
    name: "three hundred files and a large one",
    count: 300,
    at: [8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
  },
];

/** A long soak plays every case against both servers. */
const ALL = process.env.SLUICE_RUNS !== undefined;

/** For machines that run many things at once; a mirror that is not crashed is done in a second or two. */
const PATIENCE_MS = 60_000;

let runs = 0;

function files(count: number, text: string) {
  return Array.from({ length: count }, (_, at) => {
    return { do: "put" as const, path: `d${at % 7}/f${at}`, content: `${text} ${at}` };
  });
}

/** A commit that is mirrored, and one on top of it with as many changes, and a large file where there are many. */
async function twoCommits(count: number): Promise<{ history: History; next: () => Promise<void> }> {
  const history = await startHistory();
  const gone = files(count, "old").map((edit) => ({ ...edit, path: edit.path.replace("d0/", "gone/") }));
  await history.play({ do: "commit", merge: undefined, edits: gone });
  const large = { do: "put" as const, path: "large", content: { size: 400 * 1024, seed: 7 } };
  const edits = [...files(count, "new"), ...(count > 100 ? [large] : [])];
  return { history, next: () => history.play({ do: "commit-root", edits }) };
}

async function endSession(address: string, prefix: string): Promise<void> {
  const key = `${prefix}locks/${ENVIRONMENT}/mirror`;
  const answer = await fetch(`${address}/v1/kv/${key}`);
  const [row] = answer.ok ? ((await answer.json()) as { Session?: string }[]) : [];
  if (row?.Session) await fetch(`${address}/v1/session/destroy/${row.Session}`, { method: "PUT" });
}

/** @param half of the cases that this server gets, 0 or 1: the other half is for the other server. */
function theCrashes(half: number, start: () => Promise<Server>): void {
  let server: Server;
  const children: ChildProcess[] = [];
  beforeAll(async () => {
    server = await start();
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
  });
  afterAll(() => server?.stop());

  function startChild(): ChildProcess {
    const child = spawn(process.execPath, ["--conditions=source", "--import", "tsx", CHILD], {
      stdio: ["pipe", "inherit", "inherit"],
    });
    children.push(child);
    return child;
  }

  /** Kills the process at its nth request, before or after Consul has it; true: it came to that. */
  async function crashAt(
    proxy: FaultProxy,
    nth: number,
    forward: boolean,
    options: object,
    done: () => Promise<boolean>,
  ) {
    const child = startChild();
    const ended = once(child, "exit");
    const kill = async () => {
      child.kill("SIGKILL");
      await ended;
    };
    proxy.intercept((passing) => {
      if (passing.nth !== nth) return undefined;
      return forward ? { answered: kill, answer: "reset" } : { hold: kill, forward: false, answer: "reset" };
    });
    child.stdin?.write(`${JSON.stringify(options)}\n`);
    const crashed = await Promise.race([
      ended.then(() => true),
      eventually("it is done", async () => (await done()) || undefined, PATIENCE_MS).then(() => false),
    ]);
    await kill();
    await proxy.settled();
    return crashed;
  }

  async function survives(count: number, nth: number, forward: boolean): Promise<boolean> {
    const prefix = `crash${++runs}/`;
    const neighbours = await plantNeighbours(server.address, prefix);
    const { history, next } = await twoCommits(count);
    const repository = history.repository.folder;
    const first = await runMirror({ address: server.address, prefix, repository });
    await first.passed();
    await first.stop();
    await next();
    const reader = wholeReader(server.address, prefix);
    const proxy = await faultProxy(server.address);
    const tip = history.tip();
    const expected = {
      commit: tip?.id ?? "",
      files: expectedFiles(tip?.tree ?? new Map()) ?? new Map(),
      neighbours,
      prefix,
    };
    const problems = async () => differences(await rawMirrored(server.address, prefix), expected);
    const crashed = await crashAt(
      proxy,
      nth,
      forward,
      { address: proxy.address, prefix, repository },
      async () => (await problems()).length === 0,
    );
    await endSession(server.address, prefix);
    const second = await runMirror({ address: server.address, prefix, repository });
    await second.passed();
    expect(await problems()).toEqual([]);
    await second.stop();
    await reader.stop();
    expect(reader.mixes).toEqual([]);
    await proxy.stop();
    await history.repository.remove();
    return crashed;
  }

  it.each(SIZES)(
    "a crash at any request, then a restart, ends at the commit's tree ($name)",
    async ({ count, at }) => {
      const all = at.flatMap((nth) => [false, true].map((forward) => ({ nth, forward })));
      const cases = ALL ? all : all.filter(({ nth, forward }) => (nth + Number(forward)) % 2 === half);
      const total = cases.length;
      const crashes: boolean[] = [];
      const work = async () => {
        for (let one = cases.shift(); one; one = cases.shift())
          crashes.push(await survives(count, one.nth, one.forward));
      };
      await Promise.all([work(), work(), work()]);
      expect(crashes.filter((crashed) => crashed).length).toBeGreaterThan(total * 0.6);
    },
    600_000,
  );
}

describe("crashes of a mirror into the embedded Consul", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "sluice-consul-"));
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
  theCrashes(0, () => embeddedConsul({ dataDir }));
});

describeWithServer("crashes of a mirror into a real Consul", { consul: hasConsul() }, () => {
  theCrashes(1, async () => (await startRealConsul()) as Server);
});
