import { expect, it } from "vitest";
import { suggest } from "./suggest.ts";

const KNOWN = ["dependsOn", "wait", "ignore", "NotOwned", "up"];

it.each([
  ["dependson", ' (did you mean "dependsOn"?)'],
  ["depend_on", ' (did you mean "dependsOn"?)'],
  ["WAIT", ' (did you mean "wait"?)'],
  ["wiat", ' (did you mean "wait"?)'],
  ["notowned", ' (did you mean "NotOwned"?)'],
  ["elephant", ""],
  ["x", ""],
  ["", ""],
])("for %j says %j", (word, said) => {
  expect(suggest(word, KNOWN)).toBe(said);
});

it("says nothing where nothing is known", () => {
  expect(suggest("wait", [])).toBe("");
});
