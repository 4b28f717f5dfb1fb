import { expect, it } from "vitest";
import { wakeAtEach } from "./hints.ts";

it("wakes at each hint, and is content where a watch breaks", async () => {
  async function* broken() {
    yield undefined;
    yield undefined;
    throw new Error("the watch broke");
  }
  let woken = 0;
  await wakeAtEach(broken(), () => {
    woken += 1;
  });
  expect(woken).toBe(2);
});
