import { expect, it } from "vitest";
import type { LiveJob } from "../../model/job.ts";
import type { Trial } from "./subject.ts";

/** What the port says of `apply`. */
export function applyRules(trial: () => Trial): void {
  it("creates a job as the spec says, under the mark, and becomes healthy", async () => {
    const t = trial();
    const id = t.id("a");
    const spec = t.spec(id, "first");
    const { version } = await t.scheduler.apply({ id, spec, mark: t.mark, live: undefined, ignore: [] });
    const live = await t.healthy(id);
    expect(t.compare(spec, live.spec, [])).toEqual([]);
    expect(live).toMatchObject({ id, owner: t.mark, version });
  });

  it("refuses to create a job that exists, and leaves it alone", async () => {
    const t = trial();
    const id = t.id("a");
    await t.plant(id);
    const before = await t.healthy(id);
    await expect(
      t.scheduler.apply({ id, spec: t.spec(id, "second"), mark: t.mark, live: undefined, ignore: [] }),
    ).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
    const after = await t.find(id);
    expect([after?.owner, t.compare(before.spec, after?.spec ?? {}, [])]).toEqual([undefined, []]);
  });

  it("refuses to create its own job a second time, as after an answer that was lost", async () => {
    const t = trial();
    const before = await t.create("a");
    const { id } = before;
    await expect(
      t.scheduler.apply({ id, spec: t.spec(id, "first"), mark: t.mark, live: undefined, ignore: [] }),
    ).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
    expect((await t.find(id))?.version).toBe(before.version);
  });

  it("changes nothing by sending the spec that is there", async () => {
    const t = trial();
    const live = await t.create("a");
    const spec = t.spec(live.id, "first");
    await t.scheduler.apply({ id: live.id, spec, mark: t.mark, live, ignore: [] });
    const after = await t.healthy(live.id);
    expect([after.owner, t.compare(spec, after.spec, []), t.compare(live.spec, after.spec, [])]).toEqual([
      t.mark,
      [],
      [],
    ]);
  });

  it("replaces a job wholly: what the new spec leaves out is gone, the mark stays", async () => {
    const t = trial();
    const live = await t.create("a");
    const { version } = await update(t, live);
    const after = await t.healthy(live.id);
    expect(t.compare(t.spec(live.id, "second"), after.spec, [])).toEqual([]);
    expect(after).toMatchObject({ owner: t.mark, version });
    expect(version).not.toBe(live.version);
  });

  it("refuses to write over a change it has not seen", async () => {
    const t = trial();
    const planned = await t.create("a");
    await t.change(planned.id);
    const changed = await t.healthy(planned.id);
    await expect(update(t, planned)).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
    const after = await t.find(planned.id);
    expect(t.compare(changed.spec, after?.spec ?? {}, [])).toEqual([]);
  });

  it("refuses to update a job that is gone, and does not make it anew", async () => {
    const t = trial();
    const planned = await t.create("a");
    await t.drop(planned.id);
    await expect(update(t, planned)).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
    expect(await t.find(planned.id)).toBeUndefined();
  });

  it("sends back the live value of a field that is left to others", async () => {
    const t = trial();
    const created = await t.create("a");
    await t.change(created.id);
    const live = await t.healthy(created.id);
    await update(t, live, [t.changedPath]);
    const after = await t.healthy(created.id);
    const wanted = t.spec(created.id, "second");
    expect(t.compare(wanted, after.spec, [t.changedPath])).toEqual([]);
    expect(t.compare(wanted, after.spec, []).map((change) => change.path)).toEqual([t.changedPath]);
    expect(after.owner).toBe(t.mark);
  });

  it("sends nothing where the proof that it may write fails, and passes that on", async () => {
    const t = trial();
    const [absent, live] = [t.id("b"), await t.create("a")];
    const lost = new Error("the lock was lost");
    const proof = () => Promise.reject(lost);
    const fresh = { id: absent, spec: t.spec(absent, "first"), live: undefined };
    const newer = { id: live.id, spec: t.spec(live.id, "second"), live };
    for (const request of [fresh, newer])
      await expect(t.scheduler.apply({ ...request, mark: t.mark, ignore: [], proof })).rejects.toBe(lost);
    await expect(t.scheduler.remove({ id: live.id, mark: t.mark, proof })).rejects.toBe(lost);
    expect([await t.find(absent), (await t.find(live.id))?.version]).toEqual([undefined, live.version]);
  });

  it("asks for the proof once all is read, right before the write", async () => {
    const t = trial();
    const live = await t.create("a");
    let asked = 0;
    const proof = async () => {
      asked += 1;
    };
    const spec = t.spec(live.id, "second");
    await t.scheduler.apply({ id: live.id, spec, mark: t.mark, live, ignore: [], proof });
    expect(asked).toBeGreaterThan(0);
    await t.scheduler.remove({ id: live.id, mark: t.mark, proof });
    expect(asked).toBeGreaterThan(1);
  });

  it("puts its mark on a job that it takes over", async () => {
    const t = trial();
    const id = t.id("a");
    await t.plant(id);
    await update(t, await t.healthy(id));
    expect((await t.healthy(id)).owner).toBe(t.mark);
  });
}

/** What the port says of `remove`. */
export function removeRules(trial: () => Trial): void {
  it("removes exactly the named job", async () => {
    const t = trial();
    await Promise.all([t.create("a"), t.create("b")]);
    await t.scheduler.remove({ id: t.id("a"), mark: t.mark });
    expect((await t.scheduler.list({ mark: t.mark })).map((job) => job.id)).toEqual([t.id("b")]);
  });

  it("counts a job that is gone already as removed", async () => {
    const t = trial();
    await expect(t.scheduler.remove({ id: t.id("absent"), mark: t.mark })).resolves.toBeUndefined();
  });

  it("removes a job once, and the second time counts as done", async () => {
    const t = trial();
    const { id } = await t.create("a");
    await t.scheduler.remove({ id, mark: t.mark });
    await t.scheduler.remove({ id, mark: t.mark });
    expect(await t.scheduler.list({ ids: [id] })).toEqual([]);
  });

  it("makes a job anew after it was removed", async () => {
    const t = trial();
    const { id } = await t.create("a");
    await t.scheduler.remove({ id, mark: t.mark });
    expect((await t.create("a")).owner).toBe(t.mark);
  });

  it("never removes a job without the mark, nor one of another mark", async () => {
    const t = trial();
    await Promise.all([t.create("other", t.anotherMark), t.plant(t.id("foreign"))]);
    for (const name of ["other", "foreign"]) {
      await t.healthy(t.id(name));
      const removal = t.scheduler.remove({ id: t.id(name), mark: t.mark });
      await expect(removal).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
    }
    expect((await t.scheduler.list({ ids: [t.id("other"), t.id("foreign")] })).length).toBe(2);
  });
}

function update(t: Trial, live: LiveJob, ignore: readonly string[] = []) {
  const spec = t.spec(live.id, "second");
  return t.scheduler.apply({ id: live.id, spec, mark: t.mark, live, ignore });
}
