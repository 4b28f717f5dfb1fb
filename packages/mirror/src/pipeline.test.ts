import { expect, it } from "vitest";
import { pipeline } from "./pipeline.ts";

interface Task {
  readonly run: () => Promise<boolean>;
  end(result: boolean | Error): Promise<void>;
}

function tasks(count: number, started: number[]): Task[] {
  return Array.from({ length: count }, (_, at) => {
    let settle: (result: boolean | Error) => void = () => undefined;
    const done = new Promise<boolean>((resolve, reject) => {
      settle = (result) => (result instanceof Error ? reject(result) : resolve(result));
    });
    return {
      run: () => {
        started.push(at);
        return done;
      },
      async end(result) {
        settle(result);
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
  });
}

it("starts no more than so many at once, and the next as soon as one ends, whichever", async () => {
  const started: number[] = [];
  const [a, b, c] = tasks(3, started) as [Task, Task, Task];
  const line = pipeline(2);
  const adding = (async () => {
    for (const task of [a, b, c]) await line.start(task.run);
  })();
  await b.end(true);
  expect(started).toEqual([0, 1, 2]);
  await adding;
  await a.end(true);
  await c.end(true);
  expect(await line.drain()).toBe(true);
});

it.each([
  ["was refused", false],
  ["failed", new Error("no")],
])("starts nothing after one that %s, and waits for those under way before it says so", async (_, result) => {
  const started: number[] = [];
  const [a, b, c, d] = tasks(4, started) as [Task, Task, Task, Task];
  const line = pipeline(2);
  await line.start(a.run);
  await line.start(b.run);
  let told: unknown;
  const third = line.start(c.run).then(
    (taken) => (told = taken),
    (error: unknown) => (told = error),
  );
  await a.end(result);
  expect(told).toBeUndefined();
  await b.end(true);
  await third;
  expect(told).toBe(result);
  await expect(line.start(d.run).catch((error: unknown) => error)).resolves.toBe(result);
  await expect(line.drain().catch((error: unknown) => error)).resolves.toBe(result);
  expect(started).toEqual([0, 1]);
});
