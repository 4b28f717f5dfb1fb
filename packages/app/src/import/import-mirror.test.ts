import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Kv, readDocuments, systemClock, type TextDocument } from "@sluice/core";
import { type MemoryKv, memoryKv, recordingSink } from "@sluice/core/testing";
import { mirror } from "@sluice/mirror";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parseConfig } from "../config/load.ts";
import { environmentsOf } from "../engine/environment.ts";
import { sharedKeys } from "../engine/presented-source.ts";
import { keysOfGit2Consul, type RepositoryOptions, refOfGit2Consul } from "./git2consul-double.ts";
import { planImport } from "./plan-import.ts";
import { renderConfig } from "./render-config.ts";

let folder: string;
let repository: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-import-"));
  repository = join(folder, "repository");
  git("init", "-q", "-b", "master", repository);
});
afterEach(() => rmSync(folder, { recursive: true }));

function git(...args: string[]): string {
  const who = ["-c", "user.name=A. Person", "-c", "user.email=person@example.test"];
  const env = { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return execFileSync("git", [...who, ...args], { env, encoding: "utf8" }).trim();
}

function commit(files: Readonly<Record<string, string>>): string {
  git("-C", repository, "rm", "-rq", "--ignore-unmatch", ".");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), text);
  }
  git("-C", repository, "add", "-A");
  git("-C", repository, "commit", "-q", "--allow-empty", "-m", "change");
  return git("-C", repository, "rev-parse", "HEAD");
}

/** The one environment that an imported configuration has, mirrored until the KV shows the repository's commit. */
async function mirrorImported(kv: MemoryKv, options: RepositoryOptions, head: string): Promise<void> {
  const repos = [{ url: repository, branches: ["master"], ...options }];
  const json = Buffer.from(JSON.stringify({ version: "1.0", repos }, undefined, 2));
  const plan = planImport(readDocuments(json).documents[0] as TextDocument);
  const config = parseConfig(Buffer.from(renderConfig(plan, "g.json")), "sluice.yaml");
  const embedded = { consul: "", marathon: "", chronos: "" };
  const [environment] = environmentsOf({ ...config, dataDir: folder }, embedded, systemClock, () => 0.5);
  if (!environment) throw new Error("the configuration has no environment");
  const source = await environment.openSource();
  const stop = new AbortController();
  const service = mirror({
    environment: environment.name,
    source,
    kv: kv as Kv,
    prefix: config.prefix,
    clock: systemClock,
    random: () => 0.5,
    events: recordingSink(),
    holder: "test",
    ...sharedKeys(environment.config),
  });
  const done = service.run(stop.signal);
  try {
    await shows(kv, environment.layout.revision, head);
  } finally {
    stop.abort();
    await done;
    await source.close();
  }
}

async function shows(kv: MemoryKv, key: string, commit: string): Promise<void> {
  const giveUp = AbortSignal.timeout(10_000);
  for await (const entry of kv.watch(key, { signal: giveUp })) {
    const marker = entry ? (JSON.parse(Buffer.from(entry.value).toString()) as Record<string, string>) : {};
    if (marker.state === "synced" && marker.revision?.endsWith(commit)) return;
  }
  throw new Error(`the mirror did not come to ${commit}`);
}

/** Keys, values and ModifyIndexes of everything but Sluice's own, to see what was written at all. */
async function foreignState(kv: MemoryKv): Promise<Record<string, unknown>> {
  const keys = Object.keys(kv.dump()).filter((key) => !key.startsWith("sluice/"));
  const entries = await kv.getMany(keys);
  return Object.fromEntries(
    [...entries.values()].map(({ key, value, modifyIndex }) => [
      key,
      [modifyIndex, Buffer.from(value).toString()],
    ]),
  );
}

const valuesOf = (kv: MemoryKv) =>
  Object.fromEntries(Object.entries(kv.dump()).filter(([key]) => !key.startsWith("sluice/")));

const FILES = {
  "app.json": '{"db": {"host": "h", "port": 5432, "a b/c": true}, "list": [1, 2], "none": null, "map": {}}\n',
  "app/list.json": '["a", {"b": 1}]',
  "app/scalar.json": '"text"',
  "app/broken.json": "{ no json \n",
  "cfg/application.yml": "server:\n  port: 8080\n  ssl: false\nhosts: [a, b]\n",
  "cfg/application-dev/x": "  spaces around \n\n",
  "cfg/two.yaml": "a: 1\n---\nb: 2\n",
  "cfg/db.properties": `# comment\nhost=\${dbhost}\nurl=jdbc:\${host}\n`,
  "cfg/open.properties": `x=\${nowhere}\n`,
  "cfg2/sibling": "1",
  "common.properties": "dbhost=db.example\n",
  empty: "",
  "with space ü/plain.txt": "ü\n",
};

const COMBINATIONS: readonly [string, Omit<RepositoryOptions, "name">][] = [
  ["nothing set", {}],
  ["a mountpoint", { mountpoint: "config/team" }],
  ["no branch name", { include_branch_name: false, mountpoint: "m" }],
  ["no repository name", { ignore_repo_name: true }],
  ["no name at all, at the top of the KV", { ignore_repo_name: true, include_branch_name: false }],
  ["a source root", { source_root: "cfg/", mountpoint: "m" }],
  ["expanded", { expand_keys: true }],
  ["expanded without extensions", { expand_keys: true, ignore_file_extension: true }],
  ["extensions ignored, but not expanded", { ignore_file_extension: true }],
  ["expanded with common properties", { expand_keys: true, common_properties: "common.properties" }],
  [
    "everything",
    {
      expand_keys: true,
      ignore_file_extension: true,
      common_properties: "common.properties",
      source_root: "cfg",
      mountpoint: "a/b",
      include_branch_name: false,
    },
  ],
];

it.each(COMBINATIONS)(
  "finds nothing to write in what git2consul left (%s), then goes on from there",
  async (_, some) => {
    const options = { name: "app-config", ...some };
    const kv = memoryKv();
    const first = commit(FILES);
    const ref = refOfGit2Consul("master", options);
    const foreign = { "other/key": "1", "app-config/other": "2", "a/b/app-config/other": "3", zzz: "4" };
    for (const [key, text] of Object.entries({
      ...foreign,
      ...keysOfGit2Consul(FILES, "master", options),
      [ref]: first,
    }))
      kv.set(key, text);
    const before = await foreignState(kv);
    await mirrorImported(kv, options, first);
    expect(await foreignState(kv)).toEqual(before);

    const { "app.json": gone, "cfg/application.yml": also, ...rest } = FILES;
    const next = { ...rest, "cfg/new.yml": "x: 1\n", "cfg/application-dev/x": "changed" };
    const second = commit(next);
    await mirrorImported(kv, options, second);
    expect(valuesOf(kv)).toEqual({ ...foreign, ...keysOfGit2Consul(next, "master", options), [ref]: second });
    expect([gone, also]).toHaveLength(2);
  },
);

it("removes the keys of files that were deleted while git2consul was stopped, and no others", async () => {
  const options: RepositoryOptions = { name: "r", expand_keys: true };
  const kv = memoryKv();
  const first = commit(FILES);
  const left = {
    ...keysOfGit2Consul(FILES, "master", options),
    "r/master/foreign": "1",
    "r/master/app.json/foreign": "1",
  };
  for (const [key, text] of Object.entries({ ...left, "r/master.ref": first })) kv.set(key, text);
  const { "app.json": _, ...rest } = FILES;
  const second = commit(rest);
  await mirrorImported(kv, options, second);
  expect(valuesOf(kv)).toEqual({
    ...keysOfGit2Consul(rest, "master", options),
    "r/master/foreign": "1",
    "r/master/app.json/foreign": "1",
    "r/master.ref": second,
  });
});
