import { expect, it } from "vitest";
import type { Trial } from "./subject.ts";

/** What the port says of `list`. */
export function listRules(trial: () => Trial): void {
  it("lists nothing for a mark that no job bears", async () => {
    const { scheduler, mark } = trial();
    expect(await scheduler.list({ mark })).toEqual([]);
  });

  it("lists by mark exactly the jobs that bear it", async () => {
    const t = trial();
    await Promise.all([t.create("a"), t.create("b"), t.create("c", t.anotherMark), t.plant(t.id("d"))]);
    const listed = await t.scheduler.list({ mark: t.mark });
    expect(listed.map((job) => [job.id, job.owner]).sort()).toEqual([
      [t.id("a"), t.mark],
      [t.id("b"), t.mark],
    ]);
  });

  it("lists by id whoever made the job, and leaves out what is not there", async () => {
    const t = trial();
    await Promise.all([t.create("a"), t.create("c", t.anotherMark), t.plant(t.id("d"))]);
    const listed = await t.scheduler.list({ ids: [t.id("a"), t.id("c"), t.id("d"), t.id("absent")] });
    expect(listed.map((job) => [job.id, job.owner]).sort()).toEqual([
      [t.id("a"), t.mark],
      [t.id("c"), t.anotherMark],
      [t.id("d"), undefined],
    ]);
  });

  it("lists by id that very job, and not those whose ids begin or end alike", async () => {
    const t = trial();
    await Promise.all([t.create("a"), t.create("a-more"), t.create("b-a")]);
    const listed = await t.scheduler.list({ ids: [t.id("a"), t.id("a")] });
    expect(listed.map((job) => job.id)).toEqual([t.id("a")]);
  });

  it("lists nothing for no ids", async () => {
    const t = trial();
    await t.create("a");
    expect(await t.scheduler.list({ ids: [] })).toEqual([]);
  });

  it("shows a job that somebody changed at another version, still under its mark", async () => {
    const t = trial();
    const first = await t.create("a");
    await t.change(first.id);
    const changed = await t.healthy(first.id);
    expect(changed.version).not.toBe(first.version);
    expect(changed.owner).toBe(t.mark);
    expect(t.compare(t.spec(first.id, "first"), changed.spec, []).map((one) => one.path)).toEqual([
      t.changedPath,
    ]);
  });

  it("lists many ids as well as few", async () => {
    const t = trial();
    await t.create("a");
    await t.create("b");
    const others = Array.from({ length: 60 }, (_, at) => t.id(`absent-${at}`));
    const listed = await t.scheduler.list({ ids: [...others, t.id("b")] });
    expect(listed.map((job) => job.id)).toEqual([t.id("b")]);
  });

  it("shows a job that nobody touches at the same version twice", async () => {
    const t = trial();
    const first = await t.create("a");
    expect((await t.find(first.id))?.version).toBe(first.version);
  });
}
