import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { claimFolder } from "./data-folder.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-lock-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const IN_USE = /^The data folder \S+ is in use by another server\.$/;

/** What a server killed by the machine leaves behind: a socket file that nobody listens at. */
async function leaveStaleLock(): Promise<void> {
  const program = `require("net").createServer().listen(${JSON.stringify(join(folder, "lock"))}, () => process.kill(process.pid, "SIGKILL"))`;
  await once(spawn(process.execPath, ["-e", program]), "exit");
  expect(readdirSync(folder)).toEqual(["lock"]);
}

it("keeps a second server out until the first lets go", async () => {
  const release = await claimFolder(folder);
  const refusal = await claimFolder(folder).catch((error: Error) => error);
  const { message, cause } = refusal as Error;
  expect(message).toMatch(IN_USE);
  expect(cause).toBeUndefined();
  await release();
  await (await claimFolder(folder))();
});

it("is taken over from a server that was killed", async () => {
  await leaveStaleLock();
  await (await claimFolder(folder))();
});

it("is not held up by a guard that a killed server left", async () => {
  await leaveStaleLock();
  writeFileSync(join(folder, "lock.guard"), "");
  utimesSync(join(folder, "lock.guard"), 0, 0);
  const release = await claimFolder(folder);
  expect(readdirSync(folder)).toEqual(["lock"]);
  await release();
});

it("goes to exactly one of many that start at once after a kill, and leaves nothing else behind", async () => {
  await leaveStaleLock();
  const all = await Promise.allSettled(Array.from({ length: 12 }, () => claimFolder(folder)));
  const winners = all.filter((one) => one.status === "fulfilled");
  const refusals = all.flatMap((one) => (one.status === "rejected" ? (one.reason as Error).message : []));
  expect([winners.length, refusals.length]).toEqual([1, 11]);
  for (const message of refusals) expect(message).toMatch(IN_USE);
  await expect(claimFolder(folder)).rejects.toThrow(IN_USE);
  expect(readdirSync(folder)).toEqual(["lock"]);
  await winners[0]?.value();
});
