import { expect, it } from "vitest";
import { HEALTHS, type Health, worstHealth } from "./health.ts";

it.each<[Health[], Health]>([
  [[], "Healthy"],
  [["Healthy", "Suspended"], "Suspended"],
  [["Progressing", "Healthy"], "Progressing"],
  [["Progressing", "Missing"], "Missing"],
  [["Missing", "Degraded", "Progressing"], "Degraded"],
  [["Unknown", "Degraded"], "Unknown"],
])("of %j the worst is %s", (healths, worst) => {
  expect(worstHealth(healths)).toBe(worst);
  expect(worstHealth(new Set(healths.reverse()))).toBe(worst);
});

it("of every health together the last of the list is the worst", () => {
  expect(worstHealth(HEALTHS)).toBe(HEALTHS.at(-1));
});
