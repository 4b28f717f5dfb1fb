import { describe, expect, it } from "vitest";
import type { JobId } from "../model/ids.ts";
import { memoryScheduler } from "./memory-scheduler.ts";

const WEB = "web" as JobId;
const MARK = "engine/staging";
const request = { id: WEB, spec: { n: 1 }, mark: MARK, live: undefined, ignore: [] };

describe("memoryScheduler", () => {
  it("lists by mark, or by id whoever made it", async () => {
    const scheduler = memoryScheduler();
    scheduler.put("ours", {}, MARK);
    scheduler.put("theirs", {}, "other");
    scheduler.put("nobody's", {});
    const ids = async (query: Parameters<typeof scheduler.list>[0]) =>
      (await scheduler.list(query)).map((job) => job.id);
    expect(await ids({ mark: MARK })).toEqual(["ours"]);
    expect(await ids({ ids: ["nobody's", "none", "theirs"] as JobId[] })).toEqual(["nobody's", "theirs"]);
  });

  it("creates, then replaces only what was planned against", async () => {
    const scheduler = memoryScheduler();
    const { version } = await scheduler.apply(request);
    const live = scheduler.jobs.get(WEB);
    expect(live).toMatchObject({ spec: { n: 1 }, owner: MARK, version, observed: { health: "Healthy" } });
    await expect(scheduler.apply(request)).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
    await scheduler.apply({ ...request, spec: { n: 2 }, live });
    await expect(scheduler.apply({ ...request, live })).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
    scheduler.drop("web");
    await expect(scheduler.apply({ ...request, live })).rejects.toMatchObject({ code: "SCHEDULER_CONFLICT" });
    expect(scheduler.writes).toEqual([
      { kind: "apply", id: "web", spec: { n: 1 } },
      { kind: "apply", id: "web", spec: { n: 2 } },
    ]);
  });

  it("removes what bears the mark, twice without complaint, and nothing else", async () => {
    const scheduler = memoryScheduler();
    scheduler.put("web", {}, MARK);
    scheduler.put("other", {});
    await scheduler.remove({ id: WEB, mark: MARK });
    await scheduler.remove({ id: WEB, mark: MARK });
    await expect(scheduler.remove({ id: "other" as JobId, mark: MARK })).rejects.toMatchObject({
      code: "SCHEDULER_CONFLICT",
    });
    expect([...scheduler.jobs.keys()]).toEqual(["other"]);
  });

  it("fails the calls it is told to, and does nothing then", async () => {
    const scheduler = memoryScheduler();
    scheduler.fault = (call, id) => (call === "apply" && id === WEB ? "SCHEDULER_UNREACHABLE" : undefined);
    await expect(scheduler.apply(request)).rejects.toMatchObject({ code: "SCHEDULER_UNREACHABLE" });
    await scheduler.apply({ ...request, id: "other" as JobId });
    expect([...scheduler.jobs.keys()]).toEqual(["other"]);
    await expect(scheduler.list({ mark: MARK }, AbortSignal.abort(new Error("enough")))).rejects.toThrow(
      "enough",
    );
  });

  it("says how a job does as it is told, right after a write or later, and wakes watchers", async () => {
    const scheduler = memoryScheduler();
    scheduler.afterApply = () => ({ health: "Progressing", message: "starting" });
    const controller = new AbortController();
    const seen = scheduler.watch?.(controller.signal)[Symbol.asyncIterator]();
    const first = seen?.next();
    const { version } = await scheduler.apply(request);
    expect(scheduler.jobs.get(WEB)?.observed.health).toBe("Progressing");
    expect(await first).toEqual({ done: false, value: "web" });
    scheduler.observe("web", { health: "Degraded", message: "it failed" });
    expect(scheduler.jobs.get(WEB)).toMatchObject({ version, observed: { health: "Degraded" } });
    scheduler.drop("web");
    expect([await seen?.next(), await seen?.next()]).toEqual([
      { done: false, value: "web" },
      { done: false, value: "web" },
    ]);
    const last = seen?.next();
    controller.abort();
    expect(await last).toEqual({ done: true, value: undefined });
  });
});
