import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { DOCS_FOLDER } from "./generate.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

/** Every page of the repository, from its root. */
const PAGES = [
  ...pagesIn(ROOT, false),
  ...pagesIn(DOCS_FOLDER, true),
  ...pagesIn(join(ROOT, "deploy-repo-example"), true),
  ...readdirSync(join(ROOT, "packages")).flatMap((name) => pagesIn(join(ROOT, "packages", name), false)),
].map((page) => relative(ROOT, page));

function pagesIn(folder: string, deep: boolean): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return deep ? pagesIn(path, true) : [];
    return entry.name.endsWith(".md") ? [path] : [];
  });
}

/** What a page links to, without what only looks like a link inside code. */
function linksOf(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), "utf8")
    .replaceAll(/^```[\s\S]*?^```/gm, "")
    .replaceAll(/(?<!\[)`[^`\n]*`(?!\])/g, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** The anchors of a page's headings, as Git hosts make them. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...readFileSync(page, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, text = ""]) => text);
  return new Set(
    headings.map((text) =>
      text
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(/\s/g, "-"),
    ),
  );
}

/** Why a link leads nowhere; undefined: it leads somewhere, or out of the repository. */
function problemOf(page: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [path = "", anchor] = target.split("#", 2);
  const file = path === "" ? join(ROOT, page) : resolve(ROOT, dirname(page), decodeURIComponent(path));
  if (!existsSync(file)) return `${page}: ${target} is not there`;
  if (anchor === undefined || statSync(file).isDirectory() || !file.endsWith(".md")) return undefined;
  return anchorsOf(file).has(anchor) ? undefined : `${page}: ${target} has no such heading`;
}

describe("the pages", () => {
  it.each(PAGES)("%s links to what is there", (page) => {
    expect(linksOf(page).flatMap((target) => problemOf(page, target) ?? [])).toEqual([]);
  });

  it("are found: each page of docs is linked from the README", () => {
    const linked = new Set(linksOf("README.md").map((target) => join(target.split("#", 1)[0] ?? "")));
    const pages = PAGES.filter((page) => /^docs\/(acl\/)?[^/]+\.md$/.test(page));
    expect(pages.filter((page) => !linked.has(page))).toEqual([]);
  });

  it("tell a link that leads nowhere", () => {
    expect(problemOf("README.md", "docs/nowhere.md")).toBe("README.md: docs/nowhere.md is not there");
    expect(problemOf("README.md", "docs/metrics.md#nowhere")).toBe(
      "README.md: docs/metrics.md#nowhere has no such heading",
    );
    expect(problemOf("README.md", "docs/metrics.md#readyz")).toBeUndefined();
  });
});
