import { manualClock } from "@sluice/core/testing";
import { describe, expect, it } from "vitest";
import type { Environment } from "../environment.ts";
import { supervisor } from "./supervisor.ts";

const named = (...names: string[]) => names.map((name) => ({ name }) as unknown as Environment);

function bench() {
  const clock = manualClock();
  const log: string[] = [];
  const failing = new Map<string, Error>();
  /** Who takes time to stop, until told. */
  const slow = new Map<string, () => void>();
  const supervised = supervisor({
    clock,
    random: () => 0.5,
    async run({ name }, signal) {
      log.push(`+${name}`);
      const error = failing.get(name);
      if (error) throw error;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      if (name.startsWith("slow")) await new Promise<void>((resolve) => slow.set(name, resolve));
      log.push(`-${name}`);
    },
    failed: ({ name }, error) => void log.push(`!${name} ${(error as Error).message}`),
  });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, log, failing, slow, supervised, settled };
}

describe("a supervisor", () => {
  it("starts who is new, stops who is gone, and leaves the others alone", async () => {
    const { supervised, log, settled } = bench();
    supervised.set(named("a", "b"));
    await settled();
    supervised.set(named("b", "c"));
    await settled();
    expect(log).toEqual(["+a", "+b", "-a", "+c"]);
    await supervised.close();
    expect(log.slice(4).sort()).toEqual(["-b", "-c"]);
  });

  it("starts one that came back only after it has stopped", async () => {
    const { supervised, log, slow, settled } = bench();
    supervised.set(named("slow"));
    await settled();
    supervised.set([]);
    await settled();
    supervised.set(named("slow"));
    await settled();
    expect(log).toEqual(["+slow"]);
    slow.get("slow")?.();
    await settled();
    expect(log).toEqual(["+slow", "-slow", "+slow"]);
    const closing = supervised.close();
    await settled();
    slow.get("slow")?.();
    await closing;
    expect(log).toEqual(["+slow", "-slow", "+slow", "-slow"]);
  });

  it("starts one that failed again after a while, and tells", async () => {
    const { supervised, log, failing, clock, settled } = bench();
    failing.set("a", new Error("no git"));
    supervised.set(named("a"));
    await settled();
    expect(log).toEqual(["+a", "!a no git"]);
    failing.clear();
    await clock.advance(60_000);
    expect(log).toEqual(["+a", "!a no git", "+a"]);
    await supervised.close();
  });

  it("starts nobody once it was closed", async () => {
    const { supervised, log, settled } = bench();
    await supervised.close();
    supervised.set(named("a"));
    await settled();
    expect(log).toEqual([]);
  });
});
