import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, run, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";

const app = (id: string, instances: number, cmd = "exec sleep 1000") =>
  `id: /${id}\ncmd: ${cmd}\ncpus: 0.1\nmem: 16\ninstances: ${instances}\nsluice: { owner: shop }\n`;
const ENVIRONMENTS = ["staging", "production"] as const;

interface Event {
  readonly id: string;
  readonly type: string;
  readonly subject?: string;
  readonly data: {
    readonly commit?: { readonly id: string; readonly subject?: string; readonly author?: string };
    readonly jobs: readonly { readonly key: string; readonly owner?: string }[];
    readonly message: string;
  };
}

/** Asks until nothing is missing. */
const holds = (what: string, check: () => Promise<void>, deadlineMs = 120_000) =>
  eventually(
    what,
    async () => {
      await check();
      return true;
    },
    deadlineMs,
  );

/** A program that is told; as long as it is `down`, it refuses. */
interface Listener {
  readonly url: string;
  readonly events: Event[];
  down: boolean;
  stop(): Promise<void>;
}

async function startListener(): Promise<Listener> {
  const server: Server = createServer((req, res) => {
    let body = "";
    req.setEncoding("utf8").on("data", (text: string) => (body += text));
    req.on("end", () => {
      if (!listener.down) listener.events.push(JSON.parse(body) as Event);
      res.writeHead(listener.down ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const listener: Listener = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    events: [],
    down: false,
    stop: () => new Promise((resolve) => void server.close(() => resolve()).closeAllConnections()),
  };
  return listener;
}

describe("two environments that deploy the same commits", () => {
  let engine: TestEngine;
  let clone: DeployClone;
  let listener: Listener;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-notifier-story-"));
    await writeFile(join(folder, "secret"), "a secret\n");
    listener = await startListener();
    const targets = { apps: { type: "marathon" } };
    engine = await startEngine({
      settings: {
        notify: {
          channels: {
            program: {
              type: "webhook",
              url: listener.url,
              secretFile: join(folder, "secret"),
              perMinute: 600,
            },
          },
          routes: [{ to: ["program"], events: ["deployment.*", "mirror.refused"] }],
          gather: "1s",
        },
        environments: Object.fromEntries(
          ENVIRONMENTS.map((name) => [name, { source: { branch: "main", path: name }, targets }]),
        ),
      },
    });
    clone = await cloneDeployRepo(engine.repositoryUrl);
    for (const name of ENVIRONMENTS) await mkdir(join(clone.folder, name, "apps"), { recursive: true });
  });
  afterAll(async () => {
    await clone?.cleanUp();
    if (engine) await removeEngine(engine);
    await listener?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const bare = () => join(engine.folder, ".sluice/git/deploy.git");
  async function deploy(subject: string, instances: number): Promise<string> {
    for (const name of ENVIRONMENTS)
      await clone.write(`${name}/apps/web.yaml`, app(`${name}/web`, instances));
    await clone.push(subject);
    return clone.head();
  }
  async function noteOf(commit: string): Promise<readonly string[]> {
    const words = ["-C", bare(), "log", "-1", "--notes=deployments", "--format=%N", commit];
    return (await run("git", words)).output.split("\n").filter(Boolean).sort();
  }
  const told = (commit: string) =>
    listener.events
      .filter(({ data }) => data.commit?.id === commit)
      .map(({ type, subject }) => `${type} ${subject}`)
      .sort();
  const LINES = [
    /^production: healthy in \S+ at \S+Z \(.*\) \[sluice\]$/,
    /^staging: healthy in \S+ at \S+Z \(.*\) \[sluice\]$/,
  ].map((line) => expect.stringMatching(line));
  const TOLD = [
    "io.sluice.deployment.healthy production",
    "io.sluice.deployment.healthy staging",
    "io.sluice.deployment.started production",
    "io.sluice.deployment.started staging",
  ];

  it("have a line each beside the commit, and each beginning and end is told once", async () => {
    const commit = await deploy("web: the first", 1);
    await holds("the note", async () => expect(await noteOf(commit)).toEqual(LINES));
    await holds("the messages", async () => expect(told(commit)).toEqual(TOLD));
    const end = listener.events.find(({ type }) => type === "io.sluice.deployment.healthy");
    expect(end?.data.commit).toEqual({ id: commit, subject: "web: the first", author: "A. Person" });
    expect(end?.data.jobs).toMatchObject([{ key: expect.stringMatching(/web$/), owner: "shop" }]);
  });

  it("are noted completely, and told, once, by an engine that was killed between the deployment and the note", async () => {
    const lock = join(bare(), "refs/notes/deployments.lock");
    await writeFile(lock, "");
    listener.down = true;
    const commit = await deploy("web: the second", 2);
    await holds("both healthy", async () => {
      const { output } = await engine.sluice("status", "-o", "json");
      const { environments } = JSON.parse(output) as {
        environments: { deployment?: { attempted: string; state: string } }[];
      };
      for (const { deployment } of environments)
        expect(deployment).toMatchObject({ state: "healthy", attempted: expect.stringContaining(commit) });
    });
    expect(await noteOf(commit)).toEqual([]);
    engine = await engine.crash();
    await rm(lock);
    listener.down = false;
    await holds("the note", async () => expect(await noteOf(commit)).toEqual(LINES));
    await holds("the messages", async () => expect(told(commit)).toEqual(TOLD));
    expect(new Set(listener.events.map(({ id }) => id)).size).toBe(listener.events.length);
  });

  it("show what was written to whoever asks for a job's history", async () => {
    const { output } = await engine.sluice(
      "history",
      "apps/staging/web",
      "--environment",
      "staging",
      "-o",
      "json",
    );
    const { entries } = JSON.parse(output) as { entries: { outcome: { state: string; from?: string } }[] };
    expect(entries.map(({ outcome }) => `${outcome.state} ${outcome.from}`)).toEqual([
      "healthy note",
      "healthy note",
    ]);
  });
});
