import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { embeddedConsul } from "@sluice/embedded";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const CHILD = fileURLToPath(new URL("./consul-http-crash-child.ts", import.meta.url));

describe("the embedded Consul, killed", () => {
  let dataDir = "";
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "consul-crash-"));
  });
  afterEach(async () => {
    if (child?.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await rm(dataDir, { recursive: true, force: true });
  });

  async function startChild(): Promise<string> {
    child = spawn(process.execPath, ["--conditions=source", "--import", "tsx", CHILD, dataDir], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    return line.toString().trim();
  }

  it("has every acknowledged write after a restart, whole transactions, and never an older index", async () => {
    const acknowledged = new Map<string, string>();
    let highest = 0;
    for (let round = 0; round < 3; round++) {
      const address = await startChild();
      const writers = Array.from({ length: 8 }, (_, n) =>
        writeUntilDead(address, `${round}-${n}`, acknowledged),
      );
      while (acknowledged.size < (round + 1) * 200) await new Promise((resolve) => setTimeout(resolve, 5));
      child?.kill("SIGKILL");
      await Promise.all(writers);
      const server = await embeddedConsul({ dataDir });
      const reply = await fetch(`${server.address}/v1/kv/?recurse`);
      const items = (await reply.json()) as { Key: string; Value: string }[];
      const stored = new Map(items.map(({ Key, Value }) => [Key, Buffer.from(Value, "base64").toString()]));
      for (const [key, value] of acknowledged) expect([key, stored.get(key)]).toEqual([key, value]);
      for (const key of stored.keys())
        if (key.endsWith("/a")) expect(stored.has(key.replace(/a$/, "b"))).toBe(true);
      const index = Number(reply.headers.get("x-consul-index"));
      expect(index).toBeGreaterThan(highest);
      highest = index;
      await server.stop();
    }
  });
});

/** Writes, by turns plainly and two keys in one transaction, and notes what was acknowledged. */
async function writeUntilDead(
  address: string,
  name: string,
  acknowledged: Map<string, string>,
): Promise<void> {
  try {
    for (let n = 0; ; n++) {
      const key = `${name}/${n}`;
      if (n % 2 === 0) {
        const reply = await fetch(`${address}/v1/kv/${key}`, { method: "PUT", body: key });
        if ((await reply.text()) === "true") acknowledged.set(key, key);
        continue;
      }
      const Value = Buffer.from(key).toString("base64");
      const body = JSON.stringify(
        ["a", "b"].map((one) => ({ KV: { Verb: "set", Key: `${key}/${one}`, Value } })),
      );
      const reply = await fetch(`${address}/v1/txn`, { method: "PUT", body });
      await reply.text();
      if (reply.ok) for (const one of ["a", "b"]) acknowledged.set(`${key}/${one}`, key);
    }
  } catch {
    // The server is dead, as it was meant to be.
  }
}
