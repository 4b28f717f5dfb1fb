import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConsulKv, consulKv } from "@sluice/consul";
import { envName, kvLayout, type RevisionMarker, type Source, systemClock } from "@sluice/core";
import { recordingSink } from "@sluice/core/testing";
import { embeddedConsul } from "@sluice/embedded";
import { gitSource, initBareRepository } from "@sluice/git";
import { mirror } from "@sluice/mirror";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

const WAIT = { timeout: 15_000, interval: 10 };

/** A repository on disk, mirrored into a KV over HTTP. */
function theMirror(start: () => Promise<Server>): void {
  const layout = kvLayout("sluice/", envName("staging"));
  let server: Server;
  let folder: string;
  let repository: string;
  let kv: ConsulKv;
  let source: Source;
  let sink: ReturnType<typeof recordingSink>;
  let end: () => Promise<void>;

  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "sluice-story-"));
    repository = join(folder, "deploy.git");
    await initBareRepository(repository, { defaultBranch: "main" });
    kv = consulKv({ address: server.address });
    await run();
  });
  afterEach(async () => {
    await end();
    const entries = await kv.list("sluice/");
    for (const { key } of entries) await kv.commit([{ verb: "delete", key }]);
    await kv.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(): Promise<void> {
    const shared = { clock: systemClock, random: Math.random };
    source = await gitSource({ repository, branch: "main", path: "env", cacheDir: folder, ...shared });
    sink = recordingSink();
    const stop = new AbortController();
    const service = mirror({
      environment: envName("staging"),
      source,
      kv,
      prefix: "sluice/",
      ...shared,
      events: sink,
      holder: "story",
    });
    const done = service.run(stop.signal);
    end = async () => {
      stop.abort();
      await done;
      await source.close();
    };
  }
  /** Commits exactly these files, names given as bytes. */
  function push(files: Readonly<Record<string, string>>): string {
    const text = Object.entries(files).map(([path, content]) => {
      const name = path.replace(
        /[^A-Za-z0-9/._-]/g,
        (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`,
      );
      return `M 100644 inline "env/${name}"\ndata ${Buffer.byteLength(content)}\n${content}\n`;
    });
    const head =
      "commit refs/heads/main\ncommitter A <a@example.test> 1700000000 +0000\ndata 1\nx\ndeleteall\n";
    const input = head + text.join("");
    execFileSync("git", ["-C", repository, "fast-import", "--quiet", "--force"], { input });
    return execFileSync("git", ["-C", repository, "rev-parse", "main"]).toString().trim();
  }
  async function marker(): Promise<RevisionMarker | undefined> {
    const entry = await kv.get(layout.revision);
    return entry && (JSON.parse(Buffer.from(entry.value).toString()) as RevisionMarker);
  }
  async function files(): Promise<Record<string, string>> {
    const entries = await kv.list(layout.files);
    return Object.fromEntries(
      entries.map(({ key, value }) => [key.slice(layout.files.length), Buffer.from(value).toString()]),
    );
  }
  async function synced(commit: string): Promise<void> {
    const revision = `main@sha1:${commit}`;
    await expect.poll(marker, WAIT).toMatchObject({ state: "synced", revision });
  }

  it("follows pushes without being told, by one transaction each", async () => {
    await synced(push({ "a.yaml": "1", "odd \xff name": "2" }));
    expect(await files()).toEqual({ "a.yaml": "1", "odd=20=FF=20name": "2" });
    await synced(push({ "a.yaml": "changed", "b/c": "3" }));
    expect(await files()).toEqual({ "a.yaml": "changed", "b/c": "3" });
    // The marker can be read before its writer has the answer, and tells.
    await expect
      .poll(() => sink.of("mirror.synced").map((event) => event.transactions), WAIT)
      .toEqual([1, 1]);
  });

  it("mirrors a thousand files and one too large for a transaction, and takes them away again", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 1000 }, (_, at) => [`d${at % 7}/f${at}`, `${at}\n`]),
    );
    const large = "l".repeat(450_000);
    await synced(push({ ...many, large }));
    expect(await files()).toEqual({ ...many, large });
    await synced(push({ large: "small" }));
    expect(await files()).toEqual({ large: "small" });
  });

  it("undoes edits by hand when asked to sync, and takes up where another mirror was stopped", async () => {
    await synced(push({ a: "1", b: "2" }));
    await kv.commit([
      { verb: "set", key: `${layout.files}a`, value: Buffer.from("edited") },
      { verb: "set", key: `${layout.files}extra`, value: Buffer.from("x") },
      { verb: "delete", key: `${layout.files}b` },
    ]);
    await kv.commit([{ verb: "set", key: layout.control("sync"), value: Buffer.from("1") }]);
    await expect.poll(files, WAIT).toEqual({ a: "1", b: "2" });
    await end();
    const commit = push({ b: "3" });
    await run();
    await synced(commit);
    expect(await files()).toEqual({ b: "3" });
  });

  it("leaves the old revision in place when the new one holds a file the KV cannot", async () => {
    const good = push({ a: "1" });
    await synced(good);
    push({ a: "2", "too-large": "x".repeat(600_000) });
    await expect
      .poll(() => sink.of("mirror.refused"), WAIT)
      .toMatchObject([{ problems: [{ file: "too-large" }] }]);
    expect(await files()).toEqual({ a: "1" });
    await synced(good);
    await synced(push({ a: "3" }));
    expect(await files()).toEqual({ a: "3" });
  });
}

describe("the mirror into the embedded Consul", () => {
  const folders: string[] = [];
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  theMirror(async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "sluice-consul-"));
    folders.push(dataDir);
    return embeddedConsul({ dataDir });
  });
});

describeWithServer("the mirror into a real Consul", { consul: hasConsul() }, () => {
  theMirror(async () => (await startRealConsul()) as Server);
});
