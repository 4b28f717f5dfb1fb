import { type JobId, jobId, type LiveJob, type LiveQuery } from "@sluice/core";
import { manualClock, memoryScheduler } from "@sluice/core/testing";
import { expect, it } from "vitest";
import { healthWait } from "./health-wait.ts";

const IDS = ["a", "b", "c"].map(jobId);
const DEADLINE = 60_000;

function world(options: { busy: boolean }) {
  const asked: (readonly JobId[])[] = [];
  const clock = manualClock(0);
  const healthy = new Set<JobId>(IDS);
  async function list(query: LiveQuery): Promise<LiveJob[]> {
    const ids = "ids" in query ? query.ids : [];
    asked.push(ids);
    return ids.map((id) => ({
      id,
      spec: {},
      owner: undefined,
      version: "1",
      observed: { health: healthy.has(id) ? "Healthy" : "Progressing", message: "" },
    }));
  }
  const state = { busy: options.busy };
  const wait = healthWait({
    scheduler: { ...memoryScheduler(), list },
    clock,
    ending: new AbortController().signal,
    mayYield: () => false,
    busy: () => state.busy,
  });
  const join = (id: JobId, awaited = false) =>
    wait.join(id, { deadline: DEADLINE, awaited, onLook: () => undefined });
  return { asked, clock, state, wait, join };
}

it("asks for all jobs at once when nothing more is being sent", async () => {
  const { asked, state, wait, join } = world({ busy: true });
  const waiting = IDS.map((id) => join(id));
  await turns();
  expect(asked).toEqual([]);
  state.busy = false;
  wait.calm();
  expect((await Promise.all(waiting)).map((one) => one.kind)).toEqual(["well", "well", "well"]);
  expect(asked).toEqual([IDS]);
});

it("does not let them wait for long while more and more is being sent", async () => {
  const { asked, clock, join } = world({ busy: true });
  const waiting = IDS.map((id) => join(id));
  await turns();
  expect(asked).toEqual([]);
  await clock.advance(100);
  await Promise.all(waiting);
  expect(asked).toEqual([IDS]);
});

it("asks at once for a job that others wait for, and then for the rest with it", async () => {
  const { asked, join } = world({ busy: true });
  const waiting = [join(IDS[0] as JobId), join(IDS[1] as JobId, true)];
  await Promise.all(waiting);
  expect(asked).toEqual([IDS.slice(0, 2)]);
});

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
