import { Refusal } from "../refusal.ts";

/** Runs tasks one after another, in the order they came. */
export interface SerialQueue {
  run<Result>(task: () => Promise<Result>): Promise<Result>;
}

/** @param limit how many may wait; more are refused with status 500, as Marathon does. */
export function serialQueue(limit: number): SerialQueue {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    run(task) {
      if (waiting >= limit) return Promise.reject(new Refusal(500, { message: "Queue is full" }));
      waiting++;
      const result = last.then(task).finally(() => {
        waiting--;
      });
      last = result.catch(() => undefined);
      return result;
    },
  };
}
