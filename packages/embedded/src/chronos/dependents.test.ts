import { afterEach, describe, expect, it } from "vitest";
import { chronosFixture } from "./chronos-fixture.ts";
import { type SimulatedWorld, simulatedWorld } from "./simulated-world.ts";

const fixture = chronosFixture();
afterEach(fixture.clean);

describe("dependent jobs", () => {
  const parent = (name: string) => ({ name, schedule: "R/2030-01-01T00:00:00Z/P1D" });
  const run = (here: SimulatedWorld, name: string) => here.call(`PUT /job/${name}`);

  it("run after their parent's success", async () => {
    const here = await simulatedWorld(fixture);
    await here.post(parent("a"), { name: "child", parents: ["a"] });
    await run(here, "a");
    await here.clock.advance(1);
    await here.jobWhere("child", { successCount: 1 });
  });

  it("do not run after a failure, unless it is soft", async () => {
    const here = await simulatedWorld(fixture, ({ job }) =>
      job.name.startsWith("bad")
        ? { durationMs: 0, outcome: { state: "failed", message: "no" } }
        : { durationMs: 0, outcome: { state: "finished" } },
    );
    await here.post(
      { ...parent("bad"), retries: 0 },
      { ...parent("bad-soft"), retries: 0, softError: true },
      { name: "child", parents: ["bad"] },
      { name: "soft-child", parents: ["bad-soft"] },
    );
    await run(here, "bad");
    await run(here, "bad-soft");
    await here.clock.advance(1);
    await here.jobWhere("bad", { errorCount: 1 });
    await here.jobWhere("soft-child", { successCount: 1 });
    expect((await here.job("child")).successCount).toBe(0);
  });

  it("wait until every parent has run as often", async () => {
    const here = await simulatedWorld(fixture);
    await here.post(parent("a"), parent("b"), { name: "child", parents: ["a", "b"] });
    for (const [index, name] of ["a", "a", "b"].entries()) {
      expect((await here.job("child")).successCount).toBe(0);
      await run(here, name);
      await here.clock.advance(1);
      await here.jobWhere(name, { successCount: name === "b" ? 1 : index + 1 });
    }
    await here.jobWhere("child", { successCount: 1 });
    expect(here.ran).toHaveLength(4);
  });

  it.each([
    ["has started", (here: SimulatedWorld) => run(here, "a")],
    ["is marked as successful", (here: SimulatedWorld) => here.call("PUT /job/success/child")],
  ])("count their parents' runs anew once the child %s", async (_, act) => {
    const here = await simulatedWorld(fixture);
    await here.post(parent("a"), parent("b"), { name: "child", parents: ["a", "b"] });
    await run(here, "b");
    await here.clock.advance(1);
    await here.jobWhere("b", { successCount: 1 });
    await act(here);
    await here.clock.advance(1);
    await here.jobWhere("child", { successCount: 1 });
    const before = here.ran.length;
    await run(here, "b");
    await here.clock.advance(1);
    await here.jobWhere("b", { successCount: 2 });
    await run(here, "a");
    await here.clock.advance(1);
    await here.jobWhere("child", { successCount: 2 });
    expect(here.ran.slice(before).map((id) => id.split(":")[3])).toEqual(["b", "a", "child"]);
  });

  it("run when somebody marks the parent as successful", async () => {
    const here = await simulatedWorld(fixture);
    await here.post(parent("a"), { name: "child", parents: ["a"] });
    expect((await here.call("PUT /job/success/a")).text).toBe("marked job a as successful: true");
    await here.clock.advance(1);
    await here.jobWhere("child", { successCount: 1 });
    expect(here.ran).toHaveLength(1);
  });
});
