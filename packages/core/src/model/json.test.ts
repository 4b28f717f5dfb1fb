import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprintOf } from "./fingerprint.ts";
import { canonicalJson, isJsonObject, type Json, sameJson } from "./json.ts";

const json = fc.jsonValue().map((value) => value as Json);

/** The same value, every object's keys the other way round. */
function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, one]) => [key, reversed(one)]),
  );
}

describe("canonical JSON", () => {
  it("is JSON of the same value", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("does not depend on the order of keys, and neither does a fingerprint", () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
        expect(fingerprintOf(reversed(value))).toBe(fingerprintOf(value));
        expect(sameJson(reversed(value), value)).toBe(true);
      }),
    );
  });

  it.each([
    [{ b: 1, a: [{ d: null, c: "ä" }] }, '{"a":[{"c":"ä","d":null}],"b":1}'],
    [{ B: 1, a: 2, "": 3 }, '{"":3,"B":1,"a":2}'],
    [[1, 1.5, -0, true], "[1,1.5,0,true]"],
    [JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
  ])("spells %j as %s", (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it.each([
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: null }, {}],
    [{ a: "1" }, { a: 1 }],
    [[], {}],
    ["", null],
  ])("keeps %j and %j apart", (a, b) => {
    expect(sameJson(a, b)).toBe(false);
    expect(fingerprintOf(a)).not.toBe(fingerprintOf(b));
  });

  it("has a fingerprint that never changes between versions, since the KV remembers it", () => {
    expect(fingerprintOf({ b: 1, a: 2 })).toBe(
      "d3626ac30a87e6f7a6428233b3c68299976865fa5508e4267c5415c76af7a772",
    );
  });
});

it.each([
  [{}, true],
  [[], false],
  [null, false],
  ["x", false],
])("isJsonObject(%j) is %s", (value, is) => {
  expect(isJsonObject(value)).toBe(is);
});
