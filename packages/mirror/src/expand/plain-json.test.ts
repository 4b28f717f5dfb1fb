import { readDocuments } from "@sluice/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { plainJson } from "./plain-json.ts";

it.each([
  ['{"a": 1, "a": 2}'],
  ['{"a": {"b": 1, "b": 1}}'],
  ['{"a:b": 1, "a:b": 2}'],
  ["{a: 1}"],
  ["[1,]"],
  [""],
  ["\ufeff{}"],
  ['{"n": 12345678901234567890}'],
  ["1e400"],
  [`${"[".repeat(95)}${"]".repeat(95)}`],
])("leaves %j to the reader that can say what is wrong", (text) => {
  expect(plainJson(Buffer.from(text))).toBeUndefined();
});

it("reads no bytes that are not UTF-8", () => {
  expect(plainJson(Uint8Array.of(0x22, 0xff, 0x22))).toBeUndefined();
});

it.each([['{"a:\\":b": [":", {"c": 1.5}], "d": null}'], ["[]"], ['"x"'], ["0"]])("reads %s", (text) => {
  expect(plainJson(Buffer.from(text))).toEqual(JSON.parse(text));
});

it("says what the other reader says, wherever it says anything", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      const plain = plainJson(Buffer.from(text));
      const { documents, problems } = readDocuments(Buffer.from(text));
      if (plain === undefined || plain === null) return;
      expect(problems).toEqual([]);
      expect(plain).toEqual(documents[0]?.value);
    }),
  );
});
