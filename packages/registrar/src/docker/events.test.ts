import { expect, it } from "vitest";
import { hintReader } from "./events.ts";

const event = (Action: string, ID: string, signal?: string) =>
  JSON.stringify({ Type: "container", Action, Actor: { ID, Attributes: { signal } } });

it.each([
  ["a signal to end", event("kill", "a", "15"), [{ stopping: "a" }]],
  ["a signal of another kind", event("kill", "a", "1"), [{}]],
  ["a start", event("start", "a"), [{ started: "a" }]],
  ["an end", event("die", "a"), [{}]],
  [
    "a restart in one piece",
    `${event("kill", "a", "15")}\n${event("start", "a")}\n`,
    [{ stopping: "a" }, { started: "a" }],
  ],
  ["a network", JSON.stringify({ Type: "network", Action: "connect", Actor: { ID: "n" } }), [{}]],
])("%s", (_what, text, hints) => {
  expect(hintReader()(`${text}\n`)).toEqual(hints);
});

it("tells of a line that is cut in two, even within a letter, and hints at it at once", () => {
  const line = Buffer.from(`${event("kill", "ä", "15")}\n`);
  for (let at = 1; at < line.length; at++) {
    const read = hintReader();
    expect([read(line.subarray(0, at)), read(line.subarray(at))]).toEqual([[{}], [{ stopping: "ä" }]]);
  }
});
