import { expect, it } from "vitest";
import { ERROR_CODES, type ErrorCode, isSluiceError, messageOf, SluiceError } from "./errors.ts";

it.each(Object.entries(ERROR_CODES))(
  "%s says what it means and what to do, in sentences",
  (code, [meaning, advice]) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(meaning).toMatch(/^\S.*\.$/);
    expect(advice).toMatch(/^\S.*\.$/);
  },
);

it("carries code, message, cause, and its code's advice unless a hint is given", () => {
  const cause = new Error("why");
  const plain = new SluiceError("USAGE", "no");
  const full = new SluiceError("GIT_FAILED", "no", { hint: "try this", cause });
  expect([plain.name, plain.code, plain.message, plain.hint, "cause" in plain]).toEqual([
    "SluiceError",
    "USAGE",
    "no",
    ERROR_CODES.USAGE[1],
    false,
  ]);
  expect([full.code, full.hint, full.cause]).toEqual(["GIT_FAILED", "try this", cause]);
});

it.each<[unknown, ErrorCode[], boolean]>([
  [new SluiceError("USAGE", "no"), [], true],
  [new SluiceError("USAGE", "no"), ["INTERNAL", "USAGE"], true],
  [new SluiceError("USAGE", "no"), ["INTERNAL"], false],
  [new Error("USAGE"), [], false],
  [{ code: "USAGE" }, [], false],
  [undefined, [], false],
])("isSluiceError case %# ", (error, codes, is) => {
  expect(isSluiceError(error, ...codes)).toBe(is);
});

it.each<[unknown, string]>([
  [new Error("it broke"), "it broke"],
  [new TypeError(""), "TypeError"],
  [new AggregateError([new Error("no ::1"), new Error("no 127.0.0.1")]), "no ::1; no 127.0.0.1"],
  [new AggregateError([new Error("x")], "all failed"), "all failed"],
  [new AggregateError([]), "AggregateError"],
  ["a text", "a text"],
  [undefined, "undefined"],
  [Symbol("s"), "Symbol(s)"],
  [Object.create(null), "something that is no error was thrown"],
])("messageOf case %#", (thrown, said) => {
  expect(messageOf(thrown)).toBe(said);
});
