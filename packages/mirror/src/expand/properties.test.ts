import { describe, expect, it } from "vitest";
import { readProperties, withVariables } from "./properties.ts";

const read = (text: string) =>
  readProperties(text).properties.map(({ key, value, line }) => `${line} ${JSON.stringify([key, value])}`);

const replaced = (text: string, variables: Record<string, string> = {}) => {
  const { values, problems } = withVariables(
    readProperties(text).properties,
    new Map(Object.entries(variables)),
  );
  return { values: Object.fromEntries(values), problems };
};

describe("a properties file", () => {
  it.each<[string, string[]]>([
    ["", []],
    ["# a\n! b\n\n   # c", []],
    ["a=1\nb: 2\nc 3\nd", ['1 ["a","1"]', '2 ["b","2"]', '3 ["c","3"]', '4 ["d",""]']],
    ["  a  =  1  ", ['1 ["a","1  "]']],
    ["a=b=c:d", ['1 ["a","b=c:d"]']],
    ["a : = b", ['1 ["a","= b"]']],
    ["a=x \\\n    y\\\n  z\nb=1", ['1 ["a","x yz"]', '4 ["b","1"]']],
    ["a=x\\\\\nb=1", ['1 ["a","x\\\\"]', '2 ["b","1"]']],
    ["a\\ b\\=c=1", ['1 ["a b=c","1"]']],
    ["a=\\u00e9\\t\\n\\q", ['1 ["a","é\\t\\nq"]']],
    ["a=1\r\nb=2\rc=3", ['1 ["a","1"]', '2 ["b","2"]', '3 ["c","3"]']],
    ["a=x\\", ['1 ["a","x"]']],
    ["\ufeffa=1", ['1 ["a","1"]']],
    ["a=1.50\nb=true", ['1 ["a","1.50"]', '2 ["b","true"]']],
  ])("%j holds %j", (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it("with a broken \\u has a problem with its line", () => {
    expect(readProperties("a=1\nb=\\u00g0\nc=\\\\u1").problems).toEqual([
      { line: 2, message: "a \\u is not followed by four hex digits" },
    ]);
  });
});

describe("variables", () => {
  it("are properties above in the file, else those given", () => {
    expect(
      replaced(`host=db\nurl=\${host}:\${port}\nport=1\nagain=\${port}`, { host: "x", port: "5432" }),
    ).toEqual({
      values: { host: "db", url: "db:5432", port: "1", again: "1" },
      problems: [],
    });
  });

  it("stand inside of one another and in keys", () => {
    expect(replaced(`which=b\n\${which}=\${x\${which}}`, { xb: "y" }).values).toEqual({ which: "b", b: "y" });
  });

  it.each([
    [`a=\${b}`, `there is no value for \${b}`],
    [`a=\${b`, `there is no value for \${b`],
    [`a=\${ b }`, `there is no value for \${ b }`],
  ])("that are nowhere are a problem: %j", (text, message) => {
    expect(replaced(text).problems).toEqual([{ line: 1, message }]);
  });
});
