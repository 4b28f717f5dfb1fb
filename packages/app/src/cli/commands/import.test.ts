import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSluiceError } from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseConfig } from "../../config/load.ts";
import type { CliContext } from "../context.ts";
import { run } from "../main.ts";
import { importGit2Consul } from "./import.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-import-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function importing(config: unknown, ...args: string[]) {
  const text = typeof config === "string" ? config : JSON.stringify(config, undefined, 2);
  writeFileSync(join(folder, "git2consul.json"), text);
  let out = "";
  let err = "";
  const context: CliContext = {
    cwd: folder,
    env: {},
    out: (more) => {
      out += more;
    },
    err: (more) => {
      err += more;
    },
    signal: new AbortController().signal,
    tty: false,
  };
  const [, file] = args;
  const exit = await importGit2Consul("git2consul.json", file ? { out: file } : {}, context).catch(
    (error: unknown) => {
      expect(isSluiceError(error, "USAGE")).toBe(true);
      return 2;
    },
  );
  return { exit, out, lines: err.trimEnd().split("\n") };
}

it("is a command of the command line", async () => {
  let out = "";
  const exit = await run(["import", "git2consul", "--help"], {
    out: (more) => {
      out += more;
    },
  });
  expect([exit, out.split("\n")[0]]).toEqual([0, "Usage: sluice import git2consul [options] <file>"]);
});

const PLAIN = { name: "app", url: "https://git.example.com/app.git", branches: ["master"] };
const environmentsIn = (text: string) => parseConfig(Buffer.from(text), "sluice.yaml").environments;

describe("sluice import git2consul", () => {
  it("prints a configuration that loads, and has nothing to say where nothing is lost", async () => {
    const { exit, out, lines } = await importing({ repos: [PLAIN] });
    expect(exit).toBe(0);
    expect(lines).toEqual(["✔ 1 environment, 0 things to look at"]);
    expect(environmentsIn(out)).toMatchObject({
      "app-master": {
        source: { repository: PLAIN.url, branch: "master", interval: "30s" },
        targets: {},
        layout: {
          prefix: "app/master",
          expand: false,
          trim: true,
          invalid: "refuse",
          ref: "app/master.ref",
          writeRef: true,
        },
      },
    });
  });

  it("turns every option that decides about keys into a layout", async () => {
    const { out } = await importing({
      repos: [
        {
          ...PLAIN,
          branches: ["release/1.x", "Dev"],
          mountpoint: "config/team",
          source_root: "path/in/repo/",
          expand_keys: true,
          ignore_file_extension: true,
          common_properties: "common.properties",
          hooks: [{ type: "polling", interval: "5" }],
        },
        { ...PLAIN, name: "Shared Files", ignore_repo_name: true, include_branch_name: false },
      ],
    });
    const environments = environmentsIn(out);
    expect(Object.keys(environments)).toEqual(["app-release-1-x", "app-dev", "shared-files-master"]);
    expect(environments["app-release-1-x"]?.source).toMatchObject({ branch: "release/1.x", interval: "5m" });
    expect(environments["app-release-1-x"]?.layout).toEqual({
      prefix: "config/team/app/release/1.x",
      sourceRoot: "path/in/repo",
      expand: true,
      dropExtensions: true,
      arrays: "ignore",
      invalid: "raw",
      trim: true,
      commonProperties: "common.properties",
      ref: "config/team/app/release/1.x.ref",
      writeRef: true,
    });
    expect(environments["shared-files-master"]?.layout?.prefix).toBeUndefined();
    expect(environments["shared-files-master"]?.layout?.ref).toBe("master.ref");
  });

  it("names every option that has no counterpart, with its line and what to do", async () => {
    const text = `{
  "version": "1.0",
  "local_store": "/var/cache",
  "no_daemon": true,
  "logger": {},
  "halt_on_change": true,
  "max_sockets": 16,
  "reposs": [],
  "repos": [{
    "name": "app",
    "url": "ssh://git@git.example.com/app.git",
    "branches": ["master"],
    "mountpoint": "/cfg/",
    "expand_keys": "true",
    "expand_keys_diff": true,
    "support_tags": true,
    "mode": "expand_keys",
    "expand_key": true,
    "hooks": [
      { "type": "github", "port": "5050", "url": "/gitpoke" },
      { "type": "stash", "port": "5050", "url": "/stash", "secret": "s3cr3t" },
      { "type": "polling", "interval": "often" },
      { "type": "svn" }
    ]
  }]
}`;
    const { exit, out, lines } = await importing(text);
    expect(exit).toBe(1);
    const told = lines.map((line) => /^(.) git2consul\.json:(\d+): (\S+):/.exec(line)?.slice(1).join(" "));
    expect(told).toEqual([
      "► 2 version",
      "► 3 local_store",
      "✗ 4 no_daemon",
      "► 5 logger",
      "► 6 halt_on_change",
      "► 7 max_sockets",
      "✗ 8 reposs",
      "✗ 13 repos.0.mountpoint",
      "✗ 14 repos.0.expand_keys",
      "► 15 repos.0.expand_keys_diff",
      "✗ 16 repos.0.support_tags",
      "✗ 17 repos.0.mode",
      "✗ 18 repos.0.expand_key",
      "✗ 20 repos.0.hooks.0",
      "✗ 21 repos.0.hooks.1.secret",
      "✗ 21 repos.0.hooks.1",
      "✗ 22 repos.0.hooks.2.interval",
      "✗ 23 repos.0.hooks.3.type",
      undefined,
    ]);
    expect(lines[6]).toContain('did you mean "repos"?');
    expect(lines.at(-1)).toBe("✗ 1 environment, 12 things to look at");
    expect(out).toContain("#   bitbucket-server: { secretFile: secrets/bitbucket-server }");
    expect(out).toContain("#   github: { secretFile: secrets/github }");
    expect(`${out}${lines.join()}`).not.toContain("s3cr3t");
    expect(environmentsIn(out)["app-master"]?.layout).toMatchObject({
      prefix: "cfg/app/master",
      expand: false,
    });
  });

  it("never writes or repeats a secret", async () => {
    const { exit, out, lines } = await importing({
      token: "T0P",
      repos: [
        {
          ...PLAIN,
          url: "https://bot:T0P@git.example.com/app.git",
          credentials: { password: "T0P" },
          private_key: "T0P",
        },
        { ...PLAIN, name: "b", url: "https://T0P@git.example.com/b.git" },
        { ...PLAIN, name: "c", url: "ssh://git:T0P@git.example.com/c.git" },
      ],
    });
    expect(exit).toBe(1);
    expect(`${out}${lines.join()}`).not.toContain("T0P");
    expect(Object.values(environmentsIn(out)).map(({ source }) => source.repository)).toEqual([
      "https://git.example.com/app.git",
      "https://git.example.com/b.git",
      "ssh://git@git.example.com/c.git",
    ]);
    expect(out).toContain("#   username: bot");
    expect(lines.filter((line) => line.includes("File"))).toHaveLength(6);
  });

  it("says where branches or repositories wrote over one another, and leaves a shared ref alone", async () => {
    const bare = { ignore_repo_name: true, mountpoint: "m" };
    const { exit, out, lines } = await importing({
      repos: [
        { ...PLAIN, ...bare },
        { ...PLAIN, ...bare, name: "other" },
        { ...PLAIN, name: "third", branches: ["a", "b"], include_branch_name: false },
      ],
    });
    expect(exit).toBe(1);
    expect(lines.filter((line) => line.includes('the ref "m/master.ref"'))).toHaveLength(2);
    expect(lines.filter((line) => line.includes("several branches write the same keys"))).toHaveLength(1);
    const layouts = Object.values(environmentsIn(out)).map(({ layout }) => [layout?.ref, layout?.writeRef]);
    expect(layouts).toEqual([
      [undefined, false],
      [undefined, false],
      ["third/a.ref", true],
      ["third/b.ref", true],
    ]);
  });

  it("gives environments names of their own", async () => {
    const { out } = await importing({
      repos: [
        { ...PLAIN, name: "A_B" },
        { ...PLAIN, name: "a.b" },
        { ...PLAIN, name: "é" },
        { ...PLAIN, name: "x".repeat(80) },
        { ...PLAIN, name: "x".repeat(81) },
      ],
    });
    expect(Object.keys(environmentsIn(out))).toEqual([
      "a-b-master",
      "a-b-master-2",
      "master",
      "x".repeat(60),
      `${"x".repeat(60)}-2`,
    ]);
  });

  it("writes a file where it is told to, and never over one that is there", async () => {
    expect((await importing({ repos: [PLAIN] }, "--out", "sluice.yaml")).exit).toBe(0);
    const written = readFileSync(join(folder, "sluice.yaml"), "utf8");
    expect(Object.keys(environmentsIn(written))).toEqual(["app-master"]);
    const again = await importing({ repos: [PLAIN] }, "--out", "sluice.yaml");
    expect([again.exit, again.out]).toEqual([2, ""]);
    expect(readFileSync(join(folder, "sluice.yaml"), "utf8")).toBe(written);
  });

  it.each([
    ["is no JSON", "{ repos: ["],
    ["is empty", ""],
    ["has no repositories", { version: "1.0" }],
    ["has none that could be mirrored", { repos: [{ name: "a" }, 7] }],
    ["has no branch", { repos: [{ ...PLAIN, branches: [] }] }],
  ])("ends with 2 and writes nothing where the file %s", async (_, config) => {
    const { exit, out } = await importing(config, "--out", "sluice.yaml");
    expect([exit, out, existsSync(join(folder, "sluice.yaml"))]).toEqual([2, "", false]);
  });

  it("writes odd names and texts so that they are read as what they are", async () => {
    const odd = { name: "a: #b\n'\"", url: "file:///srv/git repos/ü: x.git", branches: ["on", "1.0"] };
    const { out } = await importing({ "x\ny: z": 1, repos: [{ ...PLAIN, ...odd }] });
    expect(
      Object.values(environmentsIn(out)).map(({ source, layout }) => [source.branch, layout?.prefix]),
    ).toEqual([
      ["on", "a: #b\n'\"/on"],
      ["1.0", "a: #b\n'\"/1.0"],
    ]);
  });
});
