import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { validate } from "../cli/commands/validate.ts";
import { parseConfig } from "../config/load.ts";
import { configSchema } from "../config/schema.ts";
import { DOCS_FOLDER } from "./generate.ts";

interface Example {
  readonly place: string;
  readonly text: string;
}

const SETTINGS = new Set(Object.keys(configSchema.shape));
const PAGES = [
  "../README.md",
  ...readdirSync(DOCS_FOLDER).filter((name) => name.endsWith(".md")),
  "acl/README.md",
];
const EXAMPLES = PAGES.flatMap(examplesOf);

/** The YAML examples of a page. */
function examplesOf(page: string): readonly Example[] {
  const text = readFileSync(join(DOCS_FOLDER, page), "utf8");
  return [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(({ 1: found = "", index }) => ({
    place: `${page}:${text.slice(0, index).split("\n").length + 1}`,
    text: found,
  }));
}

function keysOf(text: string): readonly string[] {
  try {
    const value: unknown = parse(text);
    return typeof value === "object" && value !== null ? Object.keys(value) : [];
  } catch {
    return [];
  }
}

/** Whole examples of `sluice.yaml`; a part of one begins with a blank. */
const CONFIGURATIONS = EXAMPLES.filter(({ text }) => {
  const keys = keysOf(text);
  return keys.length > 0 && keys.every((key) => SETTINGS.has(key)) && !text.startsWith(" ");
});

describe("the examples", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "sluice-examples-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function problems(...target: readonly string[]): Promise<string> {
    let printed = "";
    const out = (text: string) => {
      printed += text;
    };
    const signal = new AbortController().signal;
    const context = { cwd: folder, env: {}, out, err: out, signal, tty: false };
    await validate(".", { target, output: "table" }, context);
    return printed;
  }
  function write(path: string, text: string): void {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  it.each(CONFIGURATIONS.map(({ place, text }) => [place, text]))("%s is a configuration", (_, text) => {
    expect(() => parseConfig(Buffer.from(text), "sluice.yaml")).not.toThrow();
  });

  it("are found", () => {
    const pages = new Set(CONFIGURATIONS.map(({ place }) => place.split(":", 1)[0]));
    expect(
      ["../README.md", "builds.md", "notifications.md", "registrar.md", "router.md", "swarm.md"].filter(
        (page) => !pages.has(page),
      ),
    ).toEqual([]);
  });

  it("of Swarm's job files are job files", async () => {
    const files = EXAMPLES.filter(
      ({ place, text }) =>
        place.startsWith("swarm.md") &&
        keysOf(text).some((key) => key === "services" || key === "TaskTemplate"),
    );
    for (const [at, { text }] of files.entries()) write(`services/${at}.yaml`, text);
    expect(files).toHaveLength(2);
    expect(await problems("services=swarm")).toBe("✔ 3 jobs, 0 problems\n");
  });

  it.each([
    ["with a swarm", ["apps=marathon", "cron=chronos", "services=swarm"], "✔ 4 jobs, 0 problems\n"],
    ["without one", ["apps=marathon", "cron=chronos"], "✔ 3 jobs, 0 problems\n"],
  ])("of the deploy repo are job files, %s", async (_, targets, said) => {
    cpSync(join(DOCS_FOLDER, "../deploy-repo-example"), folder, { recursive: true });
    expect(await problems(...targets)).toBe(said);
  });
});
