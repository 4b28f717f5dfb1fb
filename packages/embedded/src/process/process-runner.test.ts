import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { portPool } from "./free-ports.ts";
import { type LaunchOptions, type ProcessRunner, processRunner } from "./process-runner.ts";
import { groupMembers, processIdentity } from "./process-table.ts";

let dir: string;
let runner: ProcessRunner;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "sluice-process-"));
  runner = processRunner({ dataDir: dir, clock: systemClock });
});

afterEach(async () => {
  await runner.stopAll(0);
  rmSync(dir, { recursive: true, force: true });
});

function sh(script: string, env: Record<string, string> = {}): LaunchOptions {
  return {
    argv: ["/bin/sh", "-c", script],
    cwd: dir,
    env: { PATH: "/usr/bin:/bin", ...env },
    stdoutFile: join(dir, "sandbox", "stdout"),
    stderrFile: join(dir, "sandbox", "stderr"),
  };
}

const ledgerFiles = () => readdirSync(join(dir, "processes"));
const stdout = () => readFileSync(join(dir, "sandbox", "stdout"), "utf8");

describe("a launched command", () => {
  it("writes its output to the files and gives its exit code, and the ledger forgets it", async () => {
    const one = await runner.launch(sh("echo out $GREETING; echo err >&2; exit 3", { GREETING: "hello" }));
    expect(await one.exited).toEqual({ code: 3, signal: null });
    expect(stdout()).toBe("out hello\n");
    expect(readFileSync(join(dir, "sandbox", "stderr"), "utf8")).toBe("err\n");
    await vi.waitFor(() => expect(ledgerFiles()).toEqual([]));
  });

  it("sees none of the engine's own environment", async () => {
    const one = await runner.launch(sh("env | sed 's/=.*//' | sort | tr '\\n' ' '"));
    await one.exited;
    expect(stdout().trim().split(" ")).toEqual(["PATH", "PWD", "SLUICE_PROCESS"]);
  });

  it.each([
    [
      "a command that does not exist",
      { argv: ["/nowhere/tool"] as const },
      /Cannot run \/nowhere\/tool: no such command/,
    ],
    [
      "a folder that does not exist",
      { cwd: "/nowhere" },
      /Cannot run \/bin\/sh: the folder \/nowhere does not exist/,
    ],
  ])("cannot be started from %s, and says so", async (_, part, message) => {
    await expect(runner.launch({ ...sh("true"), ...part })).rejects.toThrow(message);
    expect(ledgerFiles()).toEqual([]);
  });

  it("takes what it left in the background with it when it ends", async () => {
    const one = await runner.launch(sh("sleep 300 & sleep 300 & exit 0"));
    expect(await one.exited).toEqual({ code: 0, signal: null });
    expect(await groupMembers(one.pid)).toEqual([]);
  });
});

describe("stop", () => {
  it("ends the whole group, grandchildren too", async () => {
    const one = await runner.launch(sh("sh -c 'sleep 300 & wait' & sleep 300 & wait"));
    await vi.waitFor(async () => expect(await groupMembers(one.pid)).toHaveLength(4));
    expect(await one.stop(5000)).toEqual({ code: null, signal: "SIGTERM" });
    expect(await groupMembers(one.pid)).toEqual([]);
  });

  it("kills what ignores SIGTERM once the grace is over", async () => {
    const one = await runner.launch(sh("trap '' TERM; echo ready; while :; do sleep 300; done"));
    await vi.waitFor(() => expect(stdout()).toBe("ready\n"));
    expect(await one.stop(30)).toEqual({ code: null, signal: "SIGKILL" });
    expect(await groupMembers(one.pid)).toEqual([]);
  });

  it("gives grandchildren their grace although the first process ended at once", async () => {
    const child = "trap 'sleep 0.1; echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.02; done";
    const one = await runner.launch(sh(`sh -c "${child}" & wait`));
    await vi.waitFor(() => expect(stdout()).toBe("ready\n"));
    await one.stop(5000);
    expect(stdout()).toBe("ready\ncleaned\n");
  });

  it("kills at once when its signal aborts", async () => {
    const one = await runner.launch(sh("trap '' TERM; echo ready; while :; do sleep 300; done"));
    await vi.waitFor(() => expect(stdout()).toBe("ready\n"));
    expect(await one.stop(600_000, AbortSignal.timeout(20))).toEqual({ code: null, signal: "SIGKILL" });
  });
});

describe("an engine that was killed", () => {
  /** Starts a group as an engine did that runs no more; the leader's pid is written down as that engine would have. */
  async function leftover(script: string, identity?: string) {
    const mark = `mark-${Math.random()}`;
    const child = spawn("/bin/sh", ["-c", script], {
      detached: true,
      stdio: "ignore",
      env: { SLUICE_PROCESS: mark, PATH: "/usr/bin:/bin" },
    });
    const pid = Number(child.pid);
    const entry = {
      pid,
      identity: identity ?? processIdentity(pid),
      mark,
      ownerPid: 1,
      ownerIdentity: "gone",
    };
    writeFileSync(join(dir, "processes", `${pid}.json`), JSON.stringify(entry));
    return { pid, stop: () => process.kill(-pid, "SIGKILL") };
  }

  it("leaves groups that the next one finds and stops", async () => {
    const { pid } = await leftover("sleep 300 & sleep 300");
    await vi.waitFor(async () => expect((await groupMembers(pid)).length).toBeGreaterThan(1));
    expect(await runner.recover()).toEqual([pid]);
    expect(await groupMembers(pid)).toEqual([]);
    expect(ledgerFiles()).toEqual([]);
  });

  it("leaves a group whose first process is gone; the mark tells that it is ours", async () => {
    const { pid } = await leftover("sleep 300 & exit 0");
    await vi.waitFor(async () => expect(await groupMembers(pid)).toHaveLength(1));
    await vi.waitFor(() => expect(processIdentity(pid)).toBeUndefined());
    expect(await runner.recover()).toEqual([pid]);
    expect(await groupMembers(pid)).toEqual([]);
  });

  it("never has a stranger stopped that now bears the pid", async () => {
    const { pid, stop } = await leftover("exec sleep 300", "another-boot:1");
    expect(await runner.recover()).toEqual([]);
    expect(await groupMembers(pid)).toEqual([pid]);
    expect(ledgerFiles()).toEqual([]);
    stop();
  });

  it("is not this one: a second runner on the same folder leaves live processes alone", async () => {
    const one = await runner.launch(sh("exec sleep 300"));
    expect(await processRunner({ dataDir: dir, clock: systemClock }).recover()).toEqual([]);
    expect(await groupMembers(one.pid)).toEqual([one.pid]);
    expect(existsSync(join(dir, "processes", `${one.pid}.json`))).toBe(true);
  });
});

describe("free ports", () => {
  it("are not ones somebody listens on, nor ones handed out before, until released", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const pool = portPool({ range: [port, port], random: () => 0 });
    await expect(pool.take(1)).rejects.toThrow(`No free port is left between ${port} and ${port}`);
    await new Promise((resolve) => server.close(resolve));
    expect(await pool.take(1)).toEqual([port]);
    await expect(pool.take(1)).rejects.toThrow(/No free port/);
    pool.release([port]);
    expect(await pool.take(1)).toEqual([port]);
  });

  it("are distinct when many ask at once, and a failed request keeps none", async () => {
    const pool = portPool({ range: [31000, 31005], isFree: async () => true });
    const taken = await Promise.all([pool.take(2), pool.take(2), pool.take(1)]);
    expect(new Set(taken.flat()).size).toBe(5);
    await expect(pool.take(2)).rejects.toThrow(/No free port/);
    expect(await pool.take(1)).toHaveLength(1);
  });
});
