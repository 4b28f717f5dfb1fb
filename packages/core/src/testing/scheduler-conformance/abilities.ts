import { expect, it, vi } from "vitest";
import type { JobId } from "../../model/ids.ts";
import type { SchedulerAbilities, Trial } from "./subject.ts";

const PATIENCE = { timeout: 10_000, interval: 10 };

/** What the port says of its optional members. */
export function abilityRules(trial: () => Trial, abilities: SchedulerAbilities): void {
  it("has the optional members it is said to have", () => {
    const { scheduler } = trial();
    const { watch, cancel } = abilities;
    expect({ watch: scheduler.watch !== undefined, cancel: scheduler.cancel !== undefined }).toEqual({
      watch,
      cancel,
    });
  });

  if (abilities.watch) {
    it("wakes a watcher after a write of its own, and after one by hand, and ends when the signal aborts", async () => {
      const t = trial();
      const stop = new AbortController();
      const hints: (JobId | undefined)[] = [];
      const watching = (async () => {
        for await (const hint of t.scheduler.watch?.(stop.signal) ?? []) hints.push(hint);
      })();
      const { id } = await t.create("a");
      await vi.waitFor(() => expect(hints).toContain(id), PATIENCE);
      hints.length = 0;
      await t.change(id);
      await vi.waitFor(() => expect(hints).toContain(id), PATIENCE);
      stop.abort();
      await watching;
    });

    it("watches nothing where the signal has aborted already", async () => {
      const hints: (JobId | undefined)[] = [];
      for await (const hint of trial().scheduler.watch?.(AbortSignal.abort()) ?? []) hints.push(hint);
      expect(hints).toEqual([]);
    });
  }

  if (abilities.cancel) {
    it("cancels nothing where no rollout runs, and no job that is not there", async () => {
      const t = trial();
      const job = await t.create("a");
      await t.scheduler.cancel?.(job.id);
      await t.scheduler.cancel?.(t.id("absent"));
      expect((await t.find(job.id))?.version).toBe(job.version);
    });
  }
}
