import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { encodePath } from "@sluice/core";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lfsRules } from "./lfs-rules.ts";

const PATHS = [
  "a.bin",
  ".bin",
  "a.BIN",
  "apps/a.bin",
  "apps/deep/b.bin",
  "apps/web.yaml",
  "deep/b.bin",
  "a b.bin",
  "ü.bin",
  "x(1).bin",
  "x+y@z|{q}.bin",
  "#hash",
  "!odd.bin",
  "[x].dat",
  "x.dat",
  "^x",
  "m.bin",
  "-.bin",
  "$x",
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-attributes-"));
  execFileSync("git", ["init", "--quiet", "--", folder]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The files that Git itself gives to the filter "lfs". */
function byGit(files: Readonly<Record<string, string>>): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text, "latin1");
  }
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const options = {
    input: PATHS.join("\0"),
    env,
    stdio: ["pipe", "pipe", "ignore"] as ["pipe", "pipe", "ignore"],
  };
  const told = execFileSync("git", ["-C", folder, "check-attr", "--stdin", "-z", "filter"], options);
  for (const path of Object.keys(files)) rmSync(join(folder, path));
  const words = told.toString().split("\0");
  return words.filter((_, at) => at % 3 === 0 && words[at + 2] === "lfs").sort();
}

function byUs(files: Readonly<Record<string, string>>): string[] {
  const texts = Object.entries(files).map(([path, text]) => ({
    folder: path.slice(0, Math.max(path.lastIndexOf("/"), 0)),
    below: "",
    text,
  }));
  const rules = lfsRules(texts);
  return PATHS.filter((path) => rules?.(encodePath(path))).sort();
}

const LFS = "filter=lfs diff=lfs merge=lfs -text";
const top = (...lines: string[]) => ({ ".gitattributes": `${lines.join("\n")}\n` });

describe("what .gitattributes give to Git LFS", () => {
  it.each<[string, Record<string, string>]>([
    ["a name at any depth", top(`*.bin ${LFS}`)],
    ["a path from the file's folder", top(`/a.bin ${LFS}`, `deep/b.bin ${LFS}`)],
    ["a star that stays in a folder", top(`apps/*.bin ${LFS}`)],
    ["everything below a folder", top(`apps/** ${LFS}`)],
    ["a folder at any depth", top(`**/deep/* ${LFS}`)],
    ["folders in between", top(`apps/**/*.bin ${LFS}`)],
    ["a folder's name, which matches no file in it", top(`apps ${LFS}`, `deep/ ${LFS}`)],
    ["a later line that unsets", top(`*.bin ${LFS}`, "a.bin -filter")],
    ["a later line that leaves unspecified", top(`*.bin ${LFS}`, "apps/* !filter")],
    ["a later line with another filter", top(`*.bin ${LFS}`, "b.bin filter=crypt")],
    ["a later line that says nothing of the filter", top(`*.bin ${LFS}`, "*.bin text")],
    ["an attribute that only begins alike", top("*.bin filter=lfs2", `*.yaml ${LFS}`)],
    ["a deeper file that wins", { ...top(`*.bin ${LFS}`), "apps/.gitattributes": "*.bin -filter\n" }],
    ["a deeper file alone", { "apps/.gitattributes": `/a.bin ${LFS}\ndeep/*.bin ${LFS}\n` }],
    ["a pattern in quotes", top(`"a b.bin" ${LFS}`, `"\\303\\274.bin" ${LFS}`)],
    ["bytes that are not ASCII", top(`${Buffer.from("ü").toString("latin1")}.bin ${LFS}`)],
    ["comments, blanks and indents", top(`# *.yaml ${LFS}`, "", `   *.dat\t${LFS}`)],
    ["line ends of Windows", { ".gitattributes": `*.bin ${LFS}\r\n*.dat filter=lfs -text\r\n` }],
    ["a byte order mark", { ".gitattributes": `\xef\xbb\xbf*.bin ${LFS}\n` }],
    ["negated patterns, which Git forbids", top(`!odd.bin ${LFS}`, `"!odd.bin" ${LFS}`)],
    ["a macro", top(`[attr]big ${LFS}`, "*.bin big", "*.dat -big")],
    ["a set of characters", top(`[ax].[bd]?[nt] ${LFS}`, `[!a].dat ${LFS}`)],
    ["a class of characters", top(`*.[[:upper:]]* ${LFS}`)],
    [
      "what other globs would take as special",
      top(`x(1).bin ${LFS}`, `x+y@z|{q}.bin ${LFS}`, `{a,b}.bin ${LFS}`),
    ],
    [
      "more sets",
      top(
        `[]x].dat ${LFS}`,
        `[^x-z].bin ${LFS}`,
        `[[:lower:]-].dat ${LFS}`,
        `*[b-].bin ${LFS}`,
        `[a\\-z].bin ${LFS}`,
      ),
    ],
    ["sets that are not closed or out of order", top(`[x.dat ${LFS}`, `[z-a].bin ${LFS}`, `a.bi[n ${LFS}`)],
    ["stars side by side", top(`a**n ${LFS}`, `apps/**.bin ${LFS}`, `**/**/x.dat ${LFS}`, `** -text`)],
    ["three stars, which are two", top(`/*** ${LFS}`)],
    ["three stars between folders", top(`apps/***/*.bin ${LFS}`)],
    ["two stars right behind a name", top(`/a** ${LFS}`)],
    ["two stars between a name and a folder", top(`apps/d**/b.bin ${LFS}`)],
    ["two stars between a name and what ends it", top(`/a**/.bin ${LFS}`)],
    ["two stars alone", top(`** ${LFS}`, "**/a.bin -filter")],
    ["a line that is too long", top(`*.bin ${LFS}`, `*.bin -filter ${"x".repeat(2100)}`)],
    ["anchors of regular expressions", top(`^x ${LFS}`, `$x ${LFS}`)],
    ["escaped characters", top(`\\[x\\].dat ${LFS}`, `\\#hash ${LFS}`)],
    ["no Git LFS at all", top("*.bin binary")],
  ])("agree with Git: %s", (_, files) => {
    expect(byUs(files)).toEqual(byGit(files));
  });

  it("agree with Git on patterns of any characters", () => {
    const piece = fc.constantFrom(
      "*",
      "**",
      "?",
      "/",
      "a",
      "b",
      ".",
      "x",
      "apps",
      "deep",
      ".bin",
      "[ab]",
      "[!a]",
      "\\.",
    );
    const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(pattern, (one) => {
        const files = top(`${one} filter=lfs`);
        expect(byUs(files)).toEqual(byGit(files));
      }),
      { numRuns: 150 },
    );
  });

  it("are found in a time that follows the lengths, however many stars there are", () => {
    const rules = lfsRules([{ folder: "", below: "", text: `${"*a".repeat(500)}b filter=lfs\n` }]);
    expect(rules?.(encodePath("a".repeat(4000)))).toBe(false);
    expect(rules?.(encodePath(`${"a".repeat(4000)}b`))).toBe(true);
  });

  it("are no rules at all where none mentions it", () => {
    expect(lfsRules([{ folder: "", below: "", text: "* text=auto\n" }])).toBeUndefined();
  });

  it("count above the source's root, the nearest first", () => {
    const rules = lfsRules([
      { folder: "", below: "live/x", text: `*.bin ${LFS}\n/live/x/only.dat ${LFS}\nlive/*.dat ${LFS}\n` },
      { folder: "", below: "x", text: "/x/b.bin -filter\n" },
    ]);
    const paths = ["a.bin", "b.bin", "c/b.bin", "only.dat", "other.dat"];
    expect(paths.filter((path) => rules?.(encodePath(path)))).toEqual(["a.bin", "c/b.bin", "only.dat"]);
  });
});
