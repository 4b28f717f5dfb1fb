import { describe, expect, it } from "vitest";
import { expandFile } from "./expand-file.ts";
import type { ExpandRules, FileFormat } from "./rules.ts";
import { rulesOf } from "./test-rules.ts";

function expand(
  text: string | Uint8Array,
  format: FileFormat | "text",
  rules: Partial<ExpandRules> = {},
): Record<string, string> | string[] {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  const { values, problems } = expandFile(bytes, {
    format,
    rules: rulesOf({ expand: true, ...rules }),
    variables: new Map([["common", "C"]]),
  });
  if (problems.length > 0) return problems.map(({ line, message }) => `${line ?? "-"}: ${message}`);
  return Object.fromEntries(values.map((one) => [one.suffix, Buffer.from(one.bytes).toString("latin1")]));
}

const NESTED = '{"a": {"b c": 1, "d/e": true}, "n": null, "m": {}, "l": [1, {"x": "y"}, [2]], "t": " s "}';
const FLAT = { "/a/b%20c": "1", "/a/d%2Fe": "true", "/n": "", "/t": " s " };

describe("an expanded file", () => {
  it.each<[string, Partial<ExpandRules>, Record<string, string>]>([
    ["index", { lists: "index" }, { ...FLAT, "/l/0": "1", "/l/1/x": "y", "/l/2/0": "2" }],
    ["json", { lists: "json" }, { ...FLAT, "/l": '[1,{"x":"y"},[2]]' }],
    ["join", { lists: "join" }, { ...FLAT, "/l": '1,{"x":"y"},[2]' }],
    ["ignore", { lists: "ignore" }, FLAT],
  ])("has its values as keys, and lists by the rule %s", (_, rules, expected) => {
    expect(expand(NESTED, "json", rules)).toEqual(expected);
    expect(expand(NESTED, "yaml", rules)).toEqual(expected);
  });

  it.each<[ExpandRules["lists"], Record<string, string>]>([
    ["index", { "/0": "1", "/1/0": "2" }],
    ["ignore", { "/0": "1" }],
    ["json", { "": "[1,[2]]" }],
    ["join", { "": "1,[2]" }],
  ])("that is a list as a whole, under %s", (lists, expected) => {
    expect(expand("[1, [2]]", "json", { lists })).toEqual(expected);
  });

  it.each<[string, FileFormat, Record<string, string>]>([
    ['"scalar"', "json", {}],
    ["{}", "json", {}],
    ["", "yaml", {}],
    ["# nothing", "yaml", {}],
    [
      "a: 2024-01-01\nb: yes\nc: 1.50\nd: ~",
      "yaml",
      { "/a": "2024-01-01", "/b": "yes", "/c": "1.5", "/d": "" },
    ],
    [
      "x: &x {a: 1}\ny: *x\nz: {<<: *x, b: 2}",
      "yaml",
      { "/x/a": "1", "/y/a": "1", "/z/a": "1", "/z/b": "2" },
    ],
    [`a=1.50\nb c = \${common}\${a}`, "properties", { "/a": "1.50", "/b": "c = C1.50" }],
  ])("%j as %s", (text, format, expected) => {
    expect(expand(text, format)).toEqual(expected);
  });

  it.each<[string, FileFormat, string[]]>([
    ["a: 1\nb: [", "yaml", [expect.stringMatching(/^\d+: /)]],
    ["a: 1\na: 2", "yaml", [expect.stringMatching(/^2: .*unique/i)]],
    ["a: 1\n---\nb: 2", "yaml", [expect.stringMatching(/^\d: the file holds more than one document/)]],
    ["{a: 1}", "json", [expect.stringMatching(/^-: the file is not JSON/)]],
    ["", "json", [expect.stringMatching(/^-: the file is not JSON/)]],
    ['{"n": 12345678901234567890}', "json", [expect.stringMatching(/^1: "n" is/)]],
    ['{"a": 1,\n "": 2}', "json", [expect.stringMatching(/^2: "" makes no key/)]],
    ['{"a": 1,\n "..": 2}', "json", [expect.stringMatching(/^2: ".." makes no key/)]],
    ['{"\\ud800": 2}', "json", [expect.stringMatching(/makes no key|is/)]],
    [`a=1\nb=\${nope}`, "properties", [`2: there is no value for \${nope}`]],
    ["=1", "properties", [expect.stringMatching(/makes no key/)]],
  ])("%j as %s is a problem, and with `raw` one key with the content", (text, format, problems) => {
    expect(expand(text, format)).toEqual(problems);
    expect(expand(text, format, { invalid: "raw" })).toEqual({ "": Buffer.from(text).toString("latin1") });
  });

  it("is refused where it is not UTF-8, and never damaged", () => {
    const bytes = Uint8Array.of(0x61, 0x3d, 0xff, 0x0a);
    for (const format of ["json", "yaml", "properties"] as const) {
      expect(expand(bytes, format)).toEqual(["1: the file is not UTF-8 text"]);
      expect(expand(bytes, format, { invalid: "raw", trim: true })).toEqual({ "": "a=\xff\n" });
    }
  });
});

describe("a file that is not expanded", () => {
  it.each([
    [false, " a b \n", " a b \n"],
    [true, " a b \n", "a b"],
    [true, "\n\n", ""],
  ])("with trim %s: %j becomes %j", (trim, text, expected) => {
    expect(expand(text, "text", { trim })).toEqual({ "": expected });
  });

  it("keeps every byte where it is not text, whatever trim says", () => {
    expect(expand(Uint8Array.of(0, 255, 10), "text", { trim: true })).toEqual({ "": "\0\xff\n" });
  });
});
