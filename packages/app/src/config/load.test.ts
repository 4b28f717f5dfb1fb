import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig, parseConfig } from "./load.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const messageFor = (yaml: string): string => {
  try {
    parseConfig(Buffer.from(yaml), "sluice.yaml");
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

describe("the configuration", () => {
  it("needs no file: every setting has a default", () => {
    const { config } = loadConfig(undefined, folder);
    expect(config.dataDir).toBe(join(folder, ".sluice"));
    expect(config.consul).toBeUndefined();
    expect(Object.keys(config.environments)).toEqual(["production"]);
    expect(config.environments.production?.targets.apps).toEqual({
      type: "marathon",
      concurrency: 8,
      wait: "5m",
      heal: true,
    });
  });

  it("says that a named file is missing", () => {
    expect(() => loadConfig("other.yaml", folder)).toThrowError(
      expect.objectContaining({ code: "CONFIG_NOT_FOUND" }),
    );
  });

  it("reports every problem at once, each with line, key and a suggestion", () => {
    const message = messageFor(
      [
        "prefx: a",
        "http:",
        "  port: 99999",
        "environments:",
        "  production:",
        "    targets:",
        "      apps: { type: marathn, hael: true }",
      ].join("\n"),
    );
    expect(message.split("\n")).toEqual([
      expect.stringMatching(/^sluice\.yaml:3: http\.port: /),
      expect.stringMatching(/^sluice\.yaml:7: environments\.production\.targets\.apps\.type: /),
      'sluice.yaml:7: environments.production.targets.apps.hael: unknown setting (did you mean "heal"?)',
      'sluice.yaml:1: prefx: unknown setting (did you mean "prefix"?)',
    ]);
  });

  it.each([
    ["wait: 5 minutes", "must be a duration"],
    ["wait: 12", "expected string"],
  ])("refuses the duration %j", (line, complaint) => {
    expect(messageFor(`environments: { a: { targets: { t: { type: marathon, ${line} } } } }`)).toContain(
      complaint,
    );
  });

  it.each([
    ["targets: { t: { type: marathon } }, layout: {}", "an environment with a layout"],
    ["deploy: true, layout: {}", "an environment with a layout is only mirrored"],
    ["source: { branches: ['*'] }, layout: {}", "a layout is of one branch"],
    ["layout: { writeRef: true }", "environments.a.layout.writeRef: needs `ref`"],
    ["layout: { prefix: /x }", "environments.a.layout.prefix: must be a path"],
    ["layout: { prefix: a/../b }", "environments.a.layout.prefix: must be a path"],
    ["layout: { arays: json }", 'environments.a.layout.arays: unknown setting (did you mean "arrays"?)'],
    ["source: { exclude: ['!x'] }", "environments.a.source.exclude.0: is matched from the source's folder"],
  ])("refuses an environment of %s", (line, complaint) => {
    expect(messageFor(`environments: { a: { ${line} } }`)).toContain(complaint);
  });

  it.each([
    [
      "type: marathon, addresses: ['unix:///var/run/docker.sock']",
      "addresses.0: must be an http or https address",
    ],
    [
      "type: chronos, addresses: ['http://a', 'tcp://b:2375']",
      "addresses.1: must be an http or https address",
    ],
    ["type: swarm, username: u", "username: Docker knows clients by their certificates"],
    ["type: swarm, tokenFile: t", "tokenFile: Docker knows clients by their certificates"],
  ])("refuses a target of %s", (line, complaint) => {
    expect(messageFor(`environments: { a: { targets: { t: { ${line} } } } }`)).toContain(complaint);
  });

  it.each([
    "",
    ", addresses: ['unix:///run/docker.sock']",
    ", addresses: ['tcp://m:2376', 'https://n'], ca: ca.pem",
  ])("takes a swarm target%s", (settings) => {
    expect(messageFor(`environments: { a: { targets: { t: { type: swarm${settings} } } } }`)).toBe("");
  });

  it("takes relative paths from the folder of the file and leaves addresses alone", () => {
    const file = join(folder, "sluice.yaml");
    writeFileSync(
      file,
      "dataDir: data\nenvironments:\n  a: { source: { repository: deploy.git } }\n  b: { source: { repository: 'git@host:x.git' } }\n",
    );
    const { config } = loadConfig(file, "/");
    expect(config.dataDir).toBe(join(folder, "data"));
    expect(config.environments.a?.source.repository).toBe(join(folder, "deploy.git"));
    expect(config.environments.b?.source.repository).toBe("git@host:x.git");
  });

  it("takes every file it names from its own folder, wherever the setting stands", () => {
    const file = join(folder, "files.yaml");
    const target = "{ type: marathon, username: u, passwordFile: p, ca: ca.pem, tokenFile: /etc/t }";
    writeFileSync(
      file,
      `http: { tokenFile: t }\nconsul: { address: 'http://c:8500', tokenFile: c, ca: ca, cert: cert, key: key }\nenvironments: { a: { targets: { t: ${target} } } }\n`,
    );
    const { config } = loadConfig(file, "/");
    const inFolder = (name: string) => join(folder, name);
    expect(config.http.tokenFile).toBe(inFolder("t"));
    expect(config.consul).toEqual({
      address: "http://c:8500",
      tokenFile: inFolder("c"),
      ca: inFolder("ca"),
      cert: inFolder("cert"),
      key: inFolder("key"),
    });
    expect(config.environments.a?.targets.t).toMatchObject({
      passwordFile: inFolder("p"),
      ca: inFolder("ca.pem"),
      tokenFile: "/etc/t",
    });
  });
});
