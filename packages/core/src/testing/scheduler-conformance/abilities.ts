import { expect, it } from "vitest";
import type { JobId } from "../../model/ids.ts";
import type { SchedulerAbilities, Trial } from "./subject.ts";

/** What the port says of its optional members. */
export function abilityRules(trial: () => Trial, abilities: SchedulerAbilities): void {
  it("has the optional members it is said to have", () => {
    const { scheduler } = trial();
    expect({ watch: scheduler.watch !== undefined, cancel: scheduler.cancel !== undefined }).toEqual(
      abilities,
    );
  });

  if (abilities.watch) {
    it("wakes a watcher after a write, and ends when the signal aborts", async () => {
      const t = trial();
      const stop = new AbortController();
      const hints: (JobId | undefined)[] = [];
      const watching = (async () => {
        for await (const hint of t.scheduler.watch?.(stop.signal) ?? []) hints.push(hint);
      })();
      const job = await t.create("a");
      const deadline = Date.now() + 10_000;
      while (!hints.includes(job.id) && Date.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 10));
      stop.abort();
      await watching;
      expect(hints).toContain(job.id);
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
