import { expect, it } from "vitest";
import { hintsOf } from "./events.ts";

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
  ["half a line", event("kill", "a", "15").slice(0, 20), [{}]],
])("%s", (_what, text, hints) => {
  expect(hintsOf(text)).toEqual(hints);
});
