import { expect, it } from "vitest";
import { schedulerKind, schedulerKinds } from "./registry.ts";

it("knows each kind by the type of its format", () => {
  for (const [name, kind] of Object.entries(schedulerKinds)) expect(kind.format().type).toBe(name);
  expect(schedulerKind("chronos")).toBe(schedulerKinds.chronos);
});

it.each(["maraton", "toString"])("names the known kinds where %s is none", (name) => {
  expect(() => schedulerKind(name)).toThrow(/known: marathon, chronos/);
});
