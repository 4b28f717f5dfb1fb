import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig, parseConfig } from "./load.ts";
import { accessOf, limitsOf } from "./source-access.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-access-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const parse = (source: string) =>
  parseConfig(Buffer.from(`environments: { production: { source: ${source} } }`), "sluice.yaml");

describe("how a deploy repo is reached", () => {
  it.each([
    ["{ auth: {} }", "needs `tokenFile`, or `username` and `passwordFile`"],
    ["{ auth: { username: a } }", "needs `tokenFile`, or `username` and `passwordFile`"],
    [
      "{ auth: { tokenFile: t, username: a } }",
      "give `tokenFile`, or `username` and `passwordFile`, not both",
    ],
    [
      "{ auth: { username: a, passwordFile: p, scheme: bearer } }",
      "`scheme` says how `tokenFile` is sent, and there is none",
    ],
    ["{ auth: { tokenFil: t, tokenFile: t } }", 'unknown setting (did you mean "tokenFile"?)'],
    ["{ ssh: { keyfile: k } }", 'unknown setting (did you mean "keyFile"?)'],
  ])("is refused as %s", (source, why) => {
    expect(() => parse(source)).toThrowError(
      expect.objectContaining({ message: expect.stringContaining(why) }),
    );
  });

  it("names files from the configuration's folder", () => {
    const file = join(folder, "sluice.yaml");
    const auth = "{ username: a, passwordFile: secrets/p }";
    const ssh = "{ keyFile: k, knownHostsFile: /etc/known }";
    const source = `{ repository: "https://host.test/x", ca: ca.pem, cert: c, key: k, auth: ${auth}, ssh: ${ssh} }`;
    writeFileSync(file, `environments: { production: { source: ${source} } }`);
    const { config } = loadConfig(file, "/");
    expect(accessOf(config.environments.production?.source ?? {})).toEqual({
      ca: join(folder, "ca.pem"),
      cert: join(folder, "c"),
      key: join(folder, "k"),
      auth: { username: "a", passwordFile: join(folder, "secrets/p") },
      ssh: { keyFile: join(folder, "k"), knownHostsFile: "/etc/known" },
    });
  });

  it("is nothing where nothing is said, and limits have their defaults", () => {
    const config = parse("{}");
    expect(accessOf(config.environments.production?.source ?? {})).toEqual({});
    expect(config.limits.maxFileBytes).toBe(512 * 1024);
    expect(limitsOf(config.limits)).toEqual({
      maxFileBytes: 2 * 1024 * 1024,
      maxFiles: 200_000,
      maxDepth: 100,
      maxFetchBytes: 1024 ** 3,
      fetchTimeoutMs: 600_000,
    });
  });
});

describe("docs/sources.md", () => {
  const page = readFileSync(new URL("../../../../docs/sources.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = ""]) => [yaml]);

  it("has a block for each kind of source", () => {
    expect(blocks).toHaveLength(8);
  });

  it.each(blocks)("shows a configuration that is accepted: %s", (yaml) => {
    expect(() => parseConfig(Buffer.from(yaml), "sluice.yaml")).not.toThrow();
  });
});
