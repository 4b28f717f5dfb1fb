import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BareRepo, bareRepo, type Files } from "../harness/bare-repo.ts";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { sluice } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { everything, readMirrored } from "../harness/mirrored.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";

interface Entry {
  readonly branch: string;
  readonly name: string;
  readonly state: string;
}

const GRACE_MS = 2_000;

let consul: string;
let http: string;
let repository: BareRepo;
let processes: RoleProcess[];

function git(...args: string[]): string {
  return execFileSync("git", ["-C", repository.folder, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    .toString()
    .trim();
}
/** Sets a branch to exactly these files. */
function push(branch: string, files: Files): string {
  return repository.commit(files, branch);
}
/** Makes a branch of another repository and deletes it; resolves when what was mirrored of it is gone, too. */
async function graceIsOver(witness: BareRepo, branch: string): Promise<void> {
  await mirrored(`witness-${branch}`, witness.commit({ a: "1" }, branch));
  execFileSync("git", ["-C", witness.folder, "update-ref", "-d", `refs/heads/${branch}`]);
  await until("the grace time is over", async () => (await nameOf(branch)) === undefined);
}

/** @param witness the repository of a second environment of several branches, whose branches show that the time is over. */
async function config(source: object, witness?: BareRepo): Promise<object> {
  const [consulPort, port] = await Promise.all([freePort(), freePort()]);
  consul = `http://127.0.0.1:${consulPort}`;
  http = `http://127.0.0.1:${port}`;
  const vanished = { grace: `${GRACE_MS}ms`, listings: 2 };
  return {
    http: { port },
    embedded: { consulPort },
    lock: { ttl: "10s", delay: "1s" },
    environments: {
      preview: { source: { branches: ["feature/*", "release-*"], interval: "250ms", vanished, ...source } },
      ...(witness
        ? {
            witness: {
              source: { branches: ["w*"], interval: "250ms", vanished, repository: witness.folder },
            },
          }
        : {}),
      production: { deploy: false, source: { interval: "250ms", ...source } },
    },
  };
}

async function start(settings: object, ...roles: string[]): Promise<RoleProcess> {
  const started = await startRoles({ roles, config: settings });
  processes.push(started);
  return started;
}

async function branches(): Promise<readonly Entry[]> {
  const answer = await fetch(`${http}/api/v1/branches`);
  const { environments } = (await answer.json()) as { environments: { branches: Entry[] }[] };
  return environments.flatMap((one) => one.branches);
}
const nameOf = async (branch: string) => (await branches()).find((one) => one.branch === branch)?.name;

/** The environments that `sluice status` tells of, in order. */
async function environments(): Promise<readonly string[]> {
  const answer = await fetch(`${http}/api/v1/environments`);
  const found = (await answer.json()) as { environments: { name: string }[] };
  return found.environments.map(({ name }) => name).sort();
}

function mirrored(environment: string | undefined, commit: string) {
  return eventually(`${environment} shows ${commit}`, async () => {
    const found = environment === undefined ? undefined : await readMirrored(consul, environment);
    return found?.synced && found.digestHolds && found.commit === commit ? found : undefined;
  });
}

/** Every key of an environment, without locks. */
async function keysOf(environment: string): Promise<readonly string[]> {
  return Object.keys(await everything(consul)).filter((key) => key.startsWith(`sluice/${environment}/`));
}

function until(what: string, holds: () => Promise<boolean>) {
  return eventually(what, async () => ((await holds()) ? true : undefined));
}

beforeEach(() => {
  processes = [];
});
afterEach(async () => {
  for (const one of processes.reverse()) await one.remove();
  repository?.remove();
});

describe("an environment of several branches", () => {
  let witness: BareRepo;
  beforeEach(async () => {
    repository = bareRepo();
    push("main", { "main.yaml": "main" });
    witness = bareRepo();
    witness.commit({ a: "1" });
    const settings = await config({ repository: repository.folder }, witness);
    // The process that answers over HTTP is another one than the one that mirrors: it learns of branches from the KV alone.
    await start(settings, "consul", "mirror");
    await start(settings, "http");
  });
  afterEach(() => witness?.remove());

  it("follows branches as they are made, pushed to, deleted, made again and gone for good", async () => {
    const first = push("feature/Login", { a: "1", b: "1" });
    push("other/x", { a: "no" });
    git("tag", "release-tag", first);
    git("update-ref", "refs/tags/feature/tag", first);
    const release = push("release-1", { r: "1" });
    const login = await eventually("the branch has an environment", () => nameOf("feature/Login"));
    expect(login).toMatch(/^preview-feature-login-[0-9a-f]{10}$/);
    expect((await mirrored(login, first)).files).toEqual({ a: "1", b: "1" });
    expect((await mirrored("preview-release-1", release)).files).toEqual({ r: "1" });
    const all = ["preview-release-1", "production", login].sort();
    await until("HTTP tells of them", async () => `${await environments()}` === `${all}`);

    const second = push("feature/Login", { b: "2", c: "2" });
    expect((await mirrored(login, second)).files).toEqual({ b: "2", c: "2" });

    git("update-ref", "-d", "refs/heads/feature/Login");
    const stateOf = async (branch: string) => (await branches()).find((one) => one.branch === branch)?.state;
    await until("its absence is seen", async () => (await stateOf("feature/Login")) === "absent");
    git("update-ref", "refs/heads/feature/Login", second);
    await until("it is resumed", async () => (await stateOf("feature/Login")) === "present");
    expect((await mirrored(login, second)).files).toEqual({ b: "2", c: "2" });

    const beside = [`sluice/${login}/control/suspend`, `sluice/${login}x/files/a`];
    for (const key of beside) await fetch(`${consul}/v1/kv/${key}`, { method: "PUT", body: "theirs" });
    git("update-ref", "-d", "refs/heads/feature/Login");
    await until("its environment is gone", async () => (await nameOf("feature/Login")) === undefined);
    expect(await keysOf(login)).toEqual([beside[0]]);
    const left = Object.keys(await everything(consul));
    expect(left).toContain(beside[1]);
    expect(left.filter((key) => key.startsWith(`sluice/locks/${login}/`))).toEqual([]);
    expect((await mirrored("preview-release-1", release)).files).toEqual({ r: "1" });
    await until("HTTP forgets it", async () => `${await environments()}` === "preview-release-1,production");

    git("update-ref", "refs/heads/feature/Login", first);
    expect(await eventually("it is a new one", () => nameOf("feature/Login"))).toBe(login);
    expect((await mirrored(login, first)).files).toEqual({ a: "1", b: "1" });
    const status = await sluice(["status"], { env: { SLUICE_SERVER: http } });
    expect(status.output).toContain(`✔ ${login}: feature/Login@sha1:${first.slice(0, 8)} is mirrored`);
  });

  it("keeps everything while the repository cannot be read, or has no branch at all", async () => {
    const commit = push("release-1", { r: "1" });
    await mirrored("preview-release-1", commit);
    const packed = `${repository.folder}/packed-refs`;
    git("pack-refs", "--all");
    const keys = await keysOf("preview-release-1");
    execFileSync("mv", [packed, `${packed}.away`]);
    execFileSync("mkdir", [packed]);
    const [mirror] = processes as [RoleProcess];
    await mirror.printed(/preview ✗ the branches cannot be looked at/);
    await graceIsOver(witness, "w1");
    execFileSync("rmdir", [packed]);
    await mirror.printed(/preview ✔ the branches can be looked at again/);
    // There is no branch at all now.
    await graceIsOver(witness, "w2");
    expect((await branches()).map(({ state }) => state)).toEqual(["present"]);
    expect(await keysOf("preview-release-1")).toEqual(keys);
    execFileSync("mv", [`${packed}.away`, packed]);
    expect((await mirrored("preview-release-1", commit)).files).toEqual({ r: "1" });
    expect(mirror.output()).not.toContain("preview ◎ the branch");
    expect(mirror.output()).not.toContain("Warning");
  });

  it("asks before more go at once than may, and removes the one a person names", async () => {
    const names = Array.from({ length: 7 }, (_, at) => `release-${at}`);
    const commits = names.map((name) => push(name, { name }));
    for (const [at, name] of names.entries()) await mirrored(`preview-${name}`, commits[at] ?? "");
    for (const name of names) git("update-ref", "-d", `refs/heads/${name}`);
    const [mirror] = processes as [RoleProcess];
    await mirror.printed(/PrunePending: more branches are gone than may be removed at once/);
    for (const name of names) expect(await readMirrored(consul, `preview-${name}`)).toBeDefined();
    const present = await fetch(`${http}/api/v1/environments/production/remove`, { method: "POST" });
    expect(present.status).toBe(404);
    const server = { env: { SLUICE_SERVER: http } };
    const listed = await sluice(["branches", "--environment", "preview"], server);
    expect(listed.output).toMatch(/preview-release-3 +release-3 +absent/);
    expect((await sluice(["branches", "--remove", "preview-release-3"], server)).code).toBe(0);
    await until("it is gone", async () => (await nameOf("release-3")) === undefined);
    expect(await keysOf("preview-release-3")).toEqual([]);
    expect((await branches()).map(({ branch }) => branch)).toEqual(
      names.filter((one) => one !== "release-3"),
    );
    for (const name of names.filter((one) => one !== "release-3"))
      expect(await readMirrored(consul, `preview-${name}`)).toBeDefined();
  });
});

describe("pushes to the branches of a hosted repository", () => {
  let clone: DeployClone;
  afterEach(() => clone?.cleanUp());

  it("are told which environment they make, how it fares, and when it goes", async () => {
    const settings = await config({});
    await start(settings, "consul", "mirror", "http");
    clone = await cloneDeployRepo(`${http}/deploy.git`);
    await clone.write("a.yaml", "a: 1\n");
    await clone.push("first");
    await clone.git("checkout", "--quiet", "-b", "feature/new");
    await clone.write("a.yaml", "a: 2\n");
    await clone.git("commit", "--quiet", "--all", "--message", "new");
    const made = await clone.git("push", "origin", "feature/new");
    expect(made.code).toBe(0);
    const name = /preview-feature-new-[0-9a-f]{10}/.exec(JSON.stringify(await branches()))?.[0];
    expect(name).toBeDefined();
    expect(made.output).toMatch(
      /remote: ✔ mirrored as preview-feature-new-[0-9a-f]{10}; nothing is deployed from it/,
    );
    expect(made.output).toMatch(/remote: ✔ mirrored feature\/new@sha1:[0-9a-f]{8} \(1 file\)/);
    expect((await mirrored(name, await clone.head())).files).toEqual({ "a.yaml": "a: 2\n" });

    await clone.git("tag", "release-9");
    const tag = await clone.git("push", "origin", "release-9");
    expect(tag.output).toContain("nothing is deployed from what was pushed");
    const deleted = await clone.git("push", "origin", ":feature/new");
    expect(deleted.code).toBe(0);
    expect(deleted.output).toContain(`${name} is removed when its branch has been gone for 2000ms`);
    await until("it is gone", async () => (await branches()).length === 0);
    expect(await keysOf(name ?? "")).toEqual([]);
    const kept = await clone.git("push", "origin", ":main");
    expect(kept.code).not.toBe(0);
  });
});
