import { SluiceError } from "@sluice/core";
import { beforeEach, describe, expect, it } from "vitest";
import { MINUTE, type PassBench, passBench } from "./pass-bench.ts";

let bench: PassBench;
beforeEach(async () => {
  bench = await passBench();
});

const FAILED = new SluiceError("GIT_FAILED", "told to fail");
const types = () => bench.sink.events.map(({ type }) => type);
const states = () => bench.registry().map(({ branch, state }) => `${branch} ${state}`);
const holds = (branch: string) => bench.keys().some((key) => key.startsWith(`sluice/preview-${branch}/`));

async function appear(...branches: string[]) {
  await bench.pass(["main", ...branches]);
  for (const branch of branches) bench.mirror(branch);
}
/** So many passes, so far apart that the grace time is over with the last one. */
async function vanish(passes: number, ...left: string[]) {
  for (let at = 0; at < passes; at++) {
    await bench.clock.advance(at === 0 ? 0 : 5 * MINUTE);
    await bench.pass(["main", ...left]);
  }
}

describe("the keeper of branches", () => {
  it("writes down who matches, and tells it once", async () => {
    await appear("f1", "f2");
    await bench.pass(["main", "f1", "f2", "other"]);
    expect(states()).toEqual(["f1 present", "f2 present"]);
    expect(types()).toEqual(["branches.appeared", "branches.appeared"]);
    expect(bench.kv.commits).toHaveLength(1);
  });

  it("writes an empty registry where no branch matches, so that everybody knows", async () => {
    await bench.pass(["main"]);
    expect(bench.kv.dump("sluice/preview/")).toEqual({ "sluice/preview/branches": '{"branches":[]}' });
  });

  it("removes exactly what was written for a vanished branch, and nothing beside it", async () => {
    await appear("f1", "f2", "f12");
    const beside = [
      "sluice/preview-f1/control/suspend",
      "sluice/preview-f1/other",
      "sluice/preview-f1",
      "sluice/preview/files/a",
      "sluice/production/files/a",
      "sluice/images/web",
    ];
    for (const key of beside) bench.kv.set(key, "theirs");
    const others = bench.keys().filter((key) => /preview-f(2|12)\//.test(key));
    await vanish(3, "f2", "f12");
    expect([...bench.keys()].sort()).toEqual([...beside, ...others].sort());
    expect(states()).toEqual(["f12 present", "f2 present"]);
    expect(bench.sink.of("branches.removed")).toMatchObject([{ branch: "f1", name: "preview-f1", keys: 12 }]);
    expect(Object.keys(bench.kv.dump("sluice/locks/"))).toEqual(["sluice/locks/preview/branches"]);
  });

  it("deletes the marker before anything else, by exact keys and versions, under the environment's lock", async () => {
    await appear("f1");
    const before = bench.kv.commits.length;
    await vanish(3);
    const deletions = bench.kv.commits
      .slice(before)
      .filter((ops) => ops.some(({ key }) => key.startsWith("sluice/preview-f1/")));
    expect(deletions.flat().every(({ verb }) => verb === "delete-cas")).toBe(true);
    expect(deletions[0]?.[0]?.key).toBe("sluice/preview-f1/revision");
    expect(Math.max(...deletions.map((ops) => ops.length))).toBeLessThanOrEqual(4);
  });

  it("lets a mirror that still holds the lock keep everything", async () => {
    await appear("f1");
    const lock = { ttlMs: 1, lockDelayMs: 1, holder: "mirror" };
    const signal = new AbortController().signal;
    const mirror = await bench.kv.lock(bench.layoutOf("f1").lock("mirror"), lock, signal);
    await vanish(2);
    await bench.clock.advance(10 * MINUTE);
    const keys = bench.keys();
    const removal = bench.pass(["main"]);
    await expect.poll(states).toEqual(["f1 removing"]);
    expect(bench.keys()).toEqual(keys);
    await mirror.release();
    await removal;
    expect(holds("f1")).toBe(false);
  });

  it("resumes a branch that comes back within the grace time, and counts anew when it goes again", async () => {
    await appear("f1");
    await vanish(2);
    await bench.pass(["main", "f1"]);
    await vanish(2);
    expect(states()).toEqual(["f1 absent"]);
    expect(holds("f1")).toBe(true);
    expect(types()).toEqual([
      "branches.appeared",
      "branches.vanished",
      "branches.returned",
      "branches.vanished",
    ]);
  });

  it.each([
    ["fails", FAILED],
    ["is empty", []],
  ])("counts anew after a listing that %s", async (_, broken) => {
    await appear("f1");
    await vanish(2);
    await bench.clock.advance(60 * MINUTE);
    await bench.pass(broken).catch(() => undefined);
    await vanish(2);
    expect(holds("f1")).toBe(true);
    await bench.clock.advance(5 * MINUTE);
    await bench.pass(["main"]);
    expect(holds("f1")).toBe(false);
  });

  it.each([
    ["has the branch again", ["main", "f1"]],
    ["is empty", []],
    ["fails", FAILED],
  ])("keeps everything where the last look %s", async (_, last) => {
    await appear("f1");
    await vanish(2);
    await bench.clock.advance(10 * MINUTE);
    const keys = bench.keys();
    const soon = await bench.pass(["main"], last).catch(() => ({ kind: "wait" }));
    expect(soon.kind).toBe("wait");
    expect(bench.keys()).toEqual(keys);
    await bench.pass(["main", "f1"]);
    expect(states()).toEqual(["f1 present"]);
  });

  it("lets another leader count for itself before it goes on with a removal", async () => {
    await appear("f1");
    await vanish(2);
    await bench.clock.advance(10 * MINUTE);
    await bench.pass(["main"], FAILED).catch(() => undefined);
    expect(states()).toEqual(["f1 removing"]);
    bench.takeOver();
    await bench.pass(["main"]);
    expect(states()).toEqual(["f1 absent"]);
    await vanish(3);
    expect(states()).toEqual([]);
  });

  it("does not go on with another leader's removal on an empty list, whatever the last look says", async () => {
    await appear("f1");
    await vanish(2);
    await bench.clock.advance(10 * MINUTE);
    await bench.pass(["main"], FAILED).catch(() => undefined);
    bench.takeOver();
    const keys = bench.keys();
    await bench.pass([], ["main"]);
    expect(states()).toEqual(["f1 removing"]);
    expect(bench.keys()).toEqual(keys);
  });

  it("keeps what a deployer still has jobs for, says so once, and goes on when they are gone", async () => {
    await appear("f1");
    const inventory = `${bench.layoutOf("f1").inventories}apps/web`;
    bench.kv.set(inventory, "{}");
    const keys = bench.keys();
    await vanish(5);
    expect(bench.keys()).toEqual(keys);
    expect(states()).toEqual(["f1 absent"]);
    expect(bench.sink.of("branches.kept")).toMatchObject([{ names: ["preview-f1"], reason: "PruneRefused" }]);
    bench.kv.unset(inventory);
    await bench.pass(["main"]);
    expect(holds("f1")).toBe(false);
  });

  it("asks where more vanish at once than may, removes none of them, and takes a person's word for each", async () => {
    const branches = ["f1", "f2", "f3", "f4", "f5", "f6"];
    await appear(...branches);
    const keys = bench.keys();
    await vanish(5);
    expect(bench.keys()).toEqual(keys);
    expect(bench.sink.of("branches.kept")).toMatchObject([
      { names: branches.map((one) => `preview-${one}`), reason: "PrunePending" },
    ]);
    bench.confirm("f6");
    await bench.pass(["main"]);
    expect(branches.filter(holds)).toEqual([]);
  });

  it("takes a person's word for this absence only, and soon", async () => {
    await appear("f1", "f2");
    await bench.pass(["main", "f2"]);
    bench.confirm("f1");
    expect(await bench.pass(["main", "f2"])).toMatchObject({ kind: "wait", retryInMs: 1_000 });
    await bench.pass(["main", "f1", "f2"]);
    await bench.clock.advance(MINUTE);
    for (let at = 0; at < 4; at++) expect(await bench.pass(["main", "f2"])).toEqual({ kind: "ok" });
    expect(holds("f1")).toBe(true);
    bench.confirm("f1");
    await bench.pass(["main", "f2"]);
    expect(["f1", "f2"].filter(holds)).toEqual(["f2"]);
  });

  it("takes up a branch that was removed and made again as a new one", async () => {
    await appear("f1");
    await vanish(3);
    await bench.pass(["main", "f1"]);
    expect(states()).toEqual(["f1 present"]);
    expect(types().at(-1)).toBe("branches.appeared");
  });

  it("forgets nothing but the registry's branches where somebody wrote over it", async () => {
    await appear("f1", "f2");
    const keys = bench.keys();
    bench.kv.set("sluice/preview/branches", "garbage");
    await vanish(5, "f2");
    expect(bench.keys()).toEqual(keys);
    expect(states()).toEqual(["f2 present"]);
  });
});
