import { expect, it } from "vitest";
import { hintsOf } from "./events.ts";

it.each([
  ["a service", { Type: "service", Action: "update", Actor: { Attributes: { name: "web" } } }, ["web"]],
  [
    "a task",
    { Type: "container", Actor: { Attributes: { "com.docker.swarm.service.name": "web" } } },
    ["web"],
  ],
  ["a container that is no task", { Type: "container", Actor: { Attributes: { name: "other" } } }, []],
  ["a service without a name", { Type: "service", Actor: { Attributes: {} } }, [undefined]],
])("hears of %s", (_, event, hints) => expect(hintsOf(JSON.stringify(event))).toEqual(hints));

it("takes a line that is no event for a hint that anything may have happened", () => {
  expect(hintsOf("{")).toEqual([undefined]);
});
