import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readDocuments } from "./document.ts";

function read(text: string | Uint8Array) {
  return readDocuments(typeof text === "string" ? Buffer.from(text) : text);
}

function valuesOf(text: string): unknown[] {
  const { documents, problems } = read(text);
  expect(problems).toEqual([]);
  return documents.map((document) => document.value);
}

function hasHugeWhole(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).some(hasHugeWhole);
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
}

describe("the values of a file", () => {
  it.each<[string, string, unknown[]]>([
    [
      "YAML",
      "id: web\ncpus: 0.5\nports: [80, 0x10]\nnone:\n",
      [{ id: "web", cpus: 0.5, ports: [80, 16], none: null }],
    ],
    [
      "JSON",
      '{"id": "web", "on": true, "list": [1, {"a": null}]}',
      [{ id: "web", on: true, list: [1, { a: null }] }],
    ],
    ["several documents", "a: 1\n---\na: 2\n...\n---\na: 3\n", [{ a: 1 }, { a: 2 }, { a: 3 }]],
    ["empty documents, left out", "---\n---\na: 1\n---\n# only words\n---\n~\n", [{ a: 1 }]],
    ["nothing", "", []],
    ["words only", "# nothing yet\n", []],
    ["a byte order mark", "\uFEFFa: 1\n", [{ a: 1 }]],
    ["lines that end as on Windows", "a: 1\r\nb:\r\n  - x\r\n", [{ a: 1, b: ["x"] }]],
    ["an anchor", "a: &x {k: 1}\nb: *x\n", [{ a: { k: 1 }, b: { k: 1 } }]],
    ["a merge key", "a: &x {k: 1, l: 1}\nb:\n  <<: *x\n  l: 2\n", [{ a: { k: 1, l: 1 }, b: { k: 1, l: 2 } }]],
    ["words that YAML 1.1 took for booleans", "a: yes\nb: no\nc: 010\n", [{ a: "yes", b: "no", c: 10 }]],
    ["keys that look like numbers", "1: a\ntrue: b\n", [{ 1: "a", true: "b" }]],
    ["a text of several lines", "cmd: |\n  one\n  two\n", [{ cmd: "one\ntwo\n" }]],
    ["the largest exact number", "a: 9007199254740991\n", [{ a: 9007199254740991 }]],
  ])("%s", (_name, text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  it("are those of JSON.parse for every JSON text", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        fc.pre(value !== null && !hasHugeWhole(value));
        expect(valuesOf(JSON.stringify(value, undefined, 2))).toEqual([JSON.parse(JSON.stringify(value))]);
      }),
    );
  });
});

/** JSON texts with keys that are there twice, numbers that cannot be said, blanks anywhere and strings full of punctuation. */
const jsonText = fc.letrec<{ value: string }>((tie) => {
  const blank = fc.constantFrom("", " ", "\n", "\n  ", "\r\n ");
  const string = fc
    .oneof(fc.constantFrom("a", "b", ":", '"', "\\", '\\":', "<<", "__proto__", "é:\n"), fc.string())
    .map((one) => JSON.stringify(one));
  const padded = (text: fc.Arbitrary<string>) => fc.tuple(blank, text, blank).map((parts) => parts.join(""));
  const member = fc.tuple(string, blank, tie("value")).map(([key, gap, value]) => `${key}:${gap}${value}`);
  return {
    value: fc.oneof(
      { maxDepth: 4 },
      padded(
        fc.oneof(string, fc.constantFrom("1", "-0", "1.50", "1e3", "1e400", "9007199254740993", "null")),
      ),
      padded(fc.array(tie("value"), { maxLength: 3 }).map((parts) => `[${parts.join(",")}]`)),
      padded(fc.array(member, { maxLength: 3 }).map((parts) => `{${parts.join(",")}}`)),
    ),
  };
}).value;

it("a JSON file is read as the same text with a comment behind it, which is YAML only", () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      const [json, yaml] = [read(text), read(`${text}\n# words`)];
      expect(json.problems).toEqual(yaml.problems);
      expect(
        json.documents.map((one) => [one.value, one.locate([]), one.locate(["a", 0]), one.locate([0])]),
      ).toEqual(
        yaml.documents.map((one) => [one.value, one.locate([]), one.locate(["a", 0]), one.locate([0])]),
      );
    }),
    { numRuns: 300 },
  );
});

describe("a file that cannot be used has problems, each with its place, and no documents", () => {
  const laughs = ["a: &a [x,x,x,x,x,x,x,x,x]", ..."bcdefg"]
    .map((line, at) => (at === 0 ? line : `${line}: &${line} [${Array(9).fill(`*${"abcdefg"[at - 1]}`)}]`))
    .join("\n");

  it.each<[string, string | Uint8Array, [line: number, column: number, message: RegExp][]]>([
    ["not UTF-8", Uint8Array.of(0x61, 0x3a, 0x20, 0xff), [[1, 1, /^the file is not UTF-8 text$/]]],
    ["UTF-16", Buffer.from("\uFEFFa: 1", "utf16le"), [[1, 1, /^the file is not UTF-8 text$/]]],
    ["a duplicate key", "a: 1\nb:\n  c: 1\n  c: 2\n", [[4, 3, /unique/]]],
    ["a duplicate key in JSON", '{"a": 1,\n "a": 2}', [[2, 2, /unique/]]],
    ["a tab for indentation", "a:\n\t- b\n", [[2, 1, /[Tt]abs/]]],
    ["a text without end", "a: 1\nb: 'x\n", [[3, 1, /quote/]]],
    ["a JSON object without end", '{"a": 1', [[1, 8, /./]]],
    ["an anchor that is not there", "a: *nope\n", [[1, 1, /Unresolved alias/]]],
    ["a key that is a list", "? [a]\n: b\n", [[1, 3, /keys must be strings/]]],
    ["a tag it does not know", "a: 1\nb: !vault x\n", [[2, 4, /Unresolved tag/]]],
    ["not a number", "a: 1\nb:\n  c: .nan\n", [[3, 3, /^"b.c" is not a finite number$/]]],
    ["infinity in a list", "a:\n  - 1\n  - -.inf\n", [[3, 5, /^"a.1" is not a finite number$/]]],
    ["a document that is no number", ".nan", [[1, 1, /^the document is not a finite number$/]]],
    ["a number that would be rounded", "a: 9007199254740993\n", [[1, 1, /^"a" is a whole number too large/]]],
    ["a date, by an older YAML", "%YAML 1.1\n---\na: 2001-01-01\n", [[3, 1, /^"a" is a kind of value/]]],
    ["bytes, by an older YAML", "%YAML 1.1\n---\na: !!binary aGk=\n", [[3, 1, /^"a" is a kind of value/]]],
    ["a billion laughs", laughs, [[1, 1, /alias/i]]],
    [
      "a list that holds itself",
      "a: &x [*x]\n",
      [[1, 8, /^"a\.0\.0.* is nested more than 100 levels deep$/]],
    ],
    ["too many aliases", `a: &a x\nb: [${Array(101).fill("*a")}]`, [[2, 305, /at most 100 aliases/]]],
    ["a merge key without a map", "a: 1\nb:\n  <<: 3\n", [[1, 1, /[Mm]erge/]]],
    [
      "two faults",
      "a: 1\na: 2\nb: !x y\n",
      [
        [2, 1, /unique/],
        [3, 4, /Unresolved tag/],
      ],
    ],
    ["a fault in a later document", "a: 1\n---\nb: .inf\n", [[3, 1, /^"b" is not/]]],
  ])("%s", (_name, text, expected) => {
    const { documents, problems } = read(text);
    expect(documents).toEqual([]);
    expect(problems.map(({ line, column, message }) => [line, column, message])).toEqual(
      expected.map(([line, column, message]) => [line, column, expect.stringMatching(message)]),
    );
  });

  it.each([
    ["flow lists", (n: number) => "[".repeat(n) + "]".repeat(n)],
    ["flow maps", (n: number) => "{a: ".repeat(n) + "}".repeat(n)],
    ["block lists", (n: number) => `${"- ".repeat(n)}a`],
  ])("%s nested deeper than 100 levels, which would end the process", (_name, nested) => {
    expect(valuesOf(nested(100))).toHaveLength(1);
    for (const levels of [101, 3000, 20_000])
      expect(read(nested(levels)).problems.map((one) => one.message)).toEqual([
        "nested more than 100 levels deep",
      ]);
  });

  it("whatever bytes it holds, and it never throws", () => {
    const soup = fc.array(fc.constantFrom(..."[]{}:,-?&*!|>'\"#%@`~ \n\tab1<<".split("")), { maxLength: 60 });
    fc.assert(
      fc.property(
        fc.oneof(
          soup.map((chars) => Buffer.from(chars.join(""))),
          fc.uint8Array(),
        ),
        (bytes) => {
          const { documents, problems } = read(bytes);
          if (problems.length > 0) expect(documents).toEqual([]);
          for (const one of problems)
            expect([one.line >= 1, one.column >= 1, one.message !== ""]).toEqual([true, true, true]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the place of a key", () => {
  const yaml = [
    "# a job",
    "id: web",
    "container:",
    "  docker:",
    "    image: nginx",
    "    parameters:",
    "      - key: env",
    "        value: A=B",
    "      -",
    "        key: label",
    "env: {A: 1,",
    "  B: 2}",
    "? long",
    "? odd",
    "shared: &s {k: 1}",
    "again: *s",
  ].join("\n");

  it.each<[(string | number)[], number, number]>([
    [[], 2, 1],
    [["id"], 2, 1],
    [["container"], 3, 1],
    [["container", "docker"], 4, 3],
    [["container", "docker", "image"], 5, 5],
    [["container", "docker", "parameters"], 6, 5],
    [["container", "docker", "parameters", 0], 7, 9],
    [["container", "docker", "parameters", 0, "value"], 8, 9],
    [["container", "docker", "parameters", 1], 10, 9],
    [["env", "A"], 11, 7],
    [["env", "B"], 12, 3],
    [["odd"], 14, 3],
    [["again"], 16, 1],
    [["again", "k"], 16, 1],
    [["container", "docker", "missing"], 4, 3],
    [["container", "docker", "parameters", 5, "key"], 6, 5],
    [["id", "deeper"], 2, 1],
    [["nothing"], 2, 1],
  ])("%j is line %i, column %i", (path, line, column) => {
    const [document] = read(yaml).documents;
    expect(document?.locate(path)).toEqual({ line, column });
  });

  it("is its own in JSON and in a later document too", () => {
    expect(read('{\n  "a": {\n    "b":\n      [1,\n 2]}}').documents[0]?.locate(["a", "b"])).toEqual({
      line: 3,
      column: 5,
    });
    expect(read("a: 1\n---\n\nb:\n  c: 2\n").documents[1]?.locate(["b", "c"])).toEqual({
      line: 5,
      column: 3,
    });
    expect(read("a: 1\r\nb:\r\n  c: 2\r\n").documents[0]?.locate(["b", "c"])).toEqual({ line: 3, column: 3 });
  });
});
