import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedConsul } from "@sluice/embedded";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BareRepo, bareRepo } from "../harness/bare-repo.ts";
import { BIN, COMMAND_ENV, collect, sluice } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

let folder: string;
let repository: BareRepo;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-move-"));
  repository = bareRepo();
});
afterEach(async () => {
  repository.remove();
  await rm(folder, { recursive: true, force: true });
});

async function put(server: Server, key: string, value: string): Promise<void> {
  const path = key.split("/").map(encodeURIComponent).join("/");
  const answer = await fetch(`${server.address}/v1/kv/${path}`, { method: "PUT", body: value });
  expect([answer.status, await answer.text()]).toEqual([200, "true"]);
}

/** Every key but Sluice's own, with its value and the index of its last change. */
async function keys(server: Server): Promise<Record<string, { value: string; index: number }>> {
  const answer = await fetch(`${server.address}/v1/kv/?recurse`);
  const entries = (await answer.json()) as { Key: string; Value: string | null; ModifyIndex: number }[];
  return Object.fromEntries(
    entries
      .filter(({ Key }) => !Key.startsWith("sluice/"))
      .map(({ Key, Value, ModifyIndex }) => [
        Key,
        { value: Buffer.from(Value ?? "", "base64").toString(), index: ModifyIndex },
      ]),
  );
}

async function values(server: Server): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries(await keys(server)).map(([key, { value }]) => [key, value]));
}

/** Imports git2consul's configuration and mirrors by it until the KV shows this commit. */
async function mirrorImported(server: Server, commit: string): Promise<void> {
  const repos = [
    { name: "shop", url: repository.folder, branches: ["main"], mountpoint: "cfg", expand_keys: true },
  ];
  await writeFile(join(folder, "git2consul.json"), JSON.stringify({ version: "1.0", repos }));
  await rm(join(folder, "sluice.yaml"), { force: true });
  const imported = await sluice(["import", "git2consul", "git2consul.json", "--out", "sluice.yaml"], {
    cwd: folder,
  });
  expect(imported.code).toBe(0);
  const made = await readFile(join(folder, "sluice.yaml"), "utf8");
  const here = made.replace("http://127.0.0.1:8500", server.address);
  await writeFile(join(folder, "sluice.yaml"), `${here}\nhttp: { port: 0 }\n`);
  const child = spawn(process.execPath, [BIN, "up", "mirror", "http"], { cwd: folder, env: COMMAND_ENV });
  const printed = collect(child);
  const ended = new Promise((resolve) => child.once("close", resolve));
  try {
    await eventually(`the mirror shows ${commit}`, async () => {
      if (child.exitCode !== null) throw new Error(`the engine ended: ${printed.text()}`);
      const answer = await fetch(`${server.address}/v1/kv/sluice/shop-main/revision?raw`);
      const marker = answer.ok ? ((await answer.json()) as { state: string; revision: string }) : undefined;
      return marker?.state === "synced" && marker.revision.endsWith(commit) ? true : undefined;
    });
  } finally {
    child.kill("SIGINT");
    await ended;
  }
}

async function movesIn(server: Server): Promise<void> {
  const first = repository.commit({
    "app.yml": "name: ü\nnested: { 'a b/c': 1 }\nhosts: [a]\n",
    "plain text.conf": "x = 1\n",
    "gone.json": '{"k": "v"}',
  });
  const theirs = {
    "cfg/shop/main/app.yml/name": "ü",
    "cfg/shop/main/app.yml/nested/a%20b%2Fc": "1",
    "cfg/shop/main/plain text.conf": "x = 1",
    "cfg/shop/main/gone.json/k": "v",
    "cfg/shop/main.ref": first,
  };
  const others = { "cfg/shop/main/app.yml/other": "mine", "cfg/shop/main2/x": "mine", "zz top": "mine" };
  for (const [key, value] of Object.entries({ ...theirs, ...others })) await put(server, key, value);
  const before = await keys(server);
  await mirrorImported(server, first);
  expect(await keys(server)).toEqual(before);

  const second = repository.commit({ "app.yml": "name: ü\nnew: 2\n", "plain text.conf": "x = 1\n" });
  await mirrorImported(server, second);
  expect(await values(server)).toEqual({
    ...others,
    "cfg/shop/main/app.yml/name": "ü",
    "cfg/shop/main/app.yml/new": "2",
    "cfg/shop/main/plain text.conf": "x = 1",
    "cfg/shop/main.ref": second,
  });
  const after = await keys(server);
  expect(after["cfg/shop/main/app.yml/name"]).toEqual(before["cfg/shop/main/app.yml/name"]);
}

const STORY = "an imported configuration writes none of git2consul's keys again, and goes on from its ref";

describe("moving from git2consul, on the embedded Consul", () => {
  it(STORY, async () => {
    const server = await embeddedConsul({ port: 0, dataDir: join(folder, "consul") });
    await movesIn(server).finally(() => server.stop());
  });
});

describeWithServer("moving from git2consul, on a real Consul", { consul: hasConsul() }, () => {
  it(STORY, async () => {
    const server = await startRealConsul();
    if (!server) throw new Error("there is no Consul");
    await movesIn(server).finally(() => server.stop());
  });
});
