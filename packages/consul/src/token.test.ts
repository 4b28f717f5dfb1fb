import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { consulKv } from "./consul-kv.ts";
import { keyAnswer, scriptedConsul } from "./testing/scripted-consul.ts";
import { tokenSource } from "./token.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "token-"));
  file = join(folder, "token");
  await writeFile(file, "first\n");
});
afterEach(() => rm(folder, { recursive: true }));

it("a token that was refused is renewed by the file, for everyone whom it was refused", async () => {
  const source = tokenSource(undefined, file);
  expect(source.current()).toBe("first");
  expect(await source.renewed("first")).toBe(false);
  await writeFile(file, "second\n");
  expect(await Promise.all([source.renewed("first"), source.renewed("first")])).toEqual([true, true]);
  expect(source.current()).toBe("second");
  expect(await source.renewed("second")).toBe(false);
});

it("a file that is empty while it is written, or gone, is no new token", async () => {
  const source = tokenSource(undefined, file);
  await writeFile(file, "");
  expect(await source.renewed("first")).toBe(false);
  await rm(file);
  expect(await source.renewed("first")).toBe(false);
  expect(source.current()).toBe("first");
});

it("requests that were refused together are all asked again with the new token", async () => {
  let refused = 0;
  let allRefused: () => void = () => undefined;
  const together = new Promise<void>((resolve) => (allRefused = resolve));
  const server = await scriptedConsul(async ({ token }) => {
    if (token === "second") return keyAnswer("a", "1", 7);
    if (++refused === 3) await writeFile(file, "second\n").then(allRefused);
    await together;
    return { status: 403, body: "ACL not found" };
  });
  const kv = consulKv({ address: server.address, tokenFile: file, timeoutMs: 5_000 });
  try {
    const found = await Promise.all([kv.get("a"), kv.get("a"), kv.get("a")]);
    expect(found.map((entry) => entry?.modifyIndex)).toEqual(["7", "7", "7"]);
  } finally {
    await kv.close();
    await server.stop();
  }
});
