import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { linkedAbort } from "./linked-abort.ts";

it("aborts with any of its sources, at once with one that has aborted", () => {
  const [one, two] = [new AbortController(), new AbortController()];
  const linked = linkedAbort([one.signal, two.signal]);
  expect(linked.signal.aborted).toBe(false);
  two.abort();
  expect([linked.signal.aborted, one.signal.aborted]).toEqual([true, false]);
  expect(linkedAbort([one.signal, two.signal]).signal.aborted).toBe(true);
});

it("leaves nothing in its sources when it is over or let go", () => {
  const source = new AbortController();
  linkedAbort([source.signal]).release();
  linkedAbort([source.signal]).abort();
  expect(getEventListeners(source.signal, "abort")).toEqual([]);
});

it("aborts after its time", async () => {
  const { signal } = linkedAbort([], 1);
  await expect.poll(() => signal.aborted, { timeout: 10_000 }).toBe(true);
});
