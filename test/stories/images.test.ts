import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";

const WEB = "registry.example:5000/shop/web";

let engine: TestEngine;
let clone: DeployClone;
beforeAll(async () => {
  engine = await startEngine();
  clone = await cloneDeployRepo(engine.repositoryUrl);
  await mkdir(join(clone.folder, "apps"));
  await clone.write("deploy.yaml", `# Policies.\nimages:\n  ${WEB}: { policy: semver, range: ^1 }\n`);
  await clone.write(
    "apps/web.yaml",
    `id: /web # the shop\ncmd: exec sleep 1000\ncpus: 0.1\nmem: 16\nenv:\n    IMAGE:   '${WEB}:1.0.0'  # kept\n`,
  );
  expect((await clone.push("first")).code).toBe(0);
});
afterAll(async () => {
  await clone?.cleanUp();
  if (engine) await removeEngine(engine);
});

async function inGit(path: string): Promise<string> {
  await clone.git("fetch", "--quiet", "origin");
  return (await clone.git("show", `origin/main:${path}`)).output;
}
const versionInGit = async () => /shop\/web:([\d.]+)/.exec(await inGit("apps/web.yaml"))?.[1];
const untilGitSays = (version: string) =>
  eventually(
    `Git says ${version}`,
    async () => ((await versionInGit()) === version ? true : undefined),
    60_000,
  );
async function untilMarathonRuns(version: string) {
  await eventually(
    `Marathon runs ${version}`,
    async () => {
      const { app } = (await (await fetch(`${engine.marathon}/v2/apps/web`)).json()) as {
        app: { env: { IMAGE: string }; deployments: unknown[] };
      };
      return app.env.IMAGE === `${WEB}:${version}` && app.deployments.length === 0 ? true : undefined;
    },
    30_000,
  );
}

it("an announced image becomes a commit that changes nothing else, and runs", async () => {
  const { code, output } = await engine.sluice("image", "set", WEB, "1.1.0", "--by", "build 7");
  expect([code, output]).toEqual([0, `✔ ${WEB} 1.1.0 is announced\n`]);
  await untilMarathonRuns("1.1.0");
  expect(await inGit("apps/web.yaml")).toBe(
    `id: /web # the shop\ncmd: exec sleep 1000\ncpus: 0.1\nmem: 16\nenv:\n    IMAGE:   '${WEB}:1.1.0'  # kept\n`,
  );
  const { output: log } = await clone.git("log", "-1", "--format=%an <%ae>%n%B", "origin/main");
  expect(log).toMatch(
    /^Sluice <sluice@localhost>\nweb: 1\.0\.0 → 1\.1\.0\n\n\S+: 1\.0\.0 → 1\.1\.0 \(announced by build 7 at \S+\)\n {2}apps\/web\.yaml:6\n/,
  );
});

it("curl to Consul does the same, and an older or other tag does nothing", async () => {
  const { embedded } = JSON.parse(await readFile(join(engine.folder, "sluice.yaml"), "utf8"));
  const address = `http://127.0.0.1:${embedded.consulPort}`;
  const key = `${address}/v1/kv/sluice/images/registry.example=3A5000/shop/web`;
  for (const tag of ["1.0.5", "2.0.0", "1.2.0"])
    expect((await fetch(key, { method: "PUT", body: tag })).status).toBe(200);
  await untilGitSays("1.2.0");
});

it("a person's pushes and announced images meet in one line of commits, and nobody's is lost", async () => {
  const person = async (number: number) => {
    await clone.git("pull", "--quiet", "--rebase", "origin", "main");
    await clone.write(`note-${number}.txt`, `${number}\n`);
    let { code } = await clone.push(`note ${number}`);
    while (code !== 0) {
      await clone.git("pull", "--quiet", "--rebase", "origin", "main");
      ({ code } = await clone.git("push", "origin", "main"));
    }
  };
  const machine = async () => {
    for (let minor = 3; minor <= 8; minor++)
      expect((await engine.sluice("image", "set", WEB, `1.${minor}.0`)).code).toBe(0);
  };
  const people = async () => {
    for (let number = 1; number <= 4; number++) await person(number);
  };
  await Promise.all([machine(), people()]);
  await untilGitSays("1.8.0");
  const subjects = (await clone.git("log", "--format=%s", "origin/main")).output.trim().split("\n").reverse();
  const notes = subjects.filter((subject) => subject.startsWith("note"));
  expect(notes).toEqual(Array.from({ length: 4 }, (_, at) => `note ${at + 1}`));
  const versions = subjects.flatMap((subject) => /^web: (\S+) → (\S+)$/.exec(subject)?.slice(1) ?? []);
  // Each commit goes on from where the one before ended: none was lost, none made twice.
  for (let at = 1; at + 1 < versions.length; at += 2) expect(versions[at + 1]).toBe(versions[at]);
  expect(versions.at(-1)).toBe("1.8.0");
}, 120_000);

it("a pin holds against what is newer, until it is taken off", async () => {
  const pinned = await engine.sluice("image", "pin", WEB, "1.1.0", "--why", "1.2 leaks");
  expect(pinned.output).toMatch(/^✔ \S+ is pinned to 1\.1\.0 \(commit [0-9a-f]{8}\)\n$/);
  await untilGitSays("1.1.0");
  expect(await inGit("deploy.yaml")).toBe(
    `# Policies.\nimages:\n  ${WEB}: { pin: "1.1.0", policy: semver, range: ^1 }\n`,
  );
  expect((await engine.sluice("image", "set", WEB, "1.9.0")).code).toBe(0);
  const listed = await engine.sluice("image", "list");
  expect(listed.output).toMatch(/shop\/web +semver +1\.1\.0 +1\.9\.0 +1 +pinned to 1\.1\.0/);
  expect((await engine.sluice("image", "unpin", WEB)).code).toBe(0);
  await untilGitSays("1.9.0");
  expect(await inGit("deploy.yaml")).toBe(`# Policies.\nimages:\n  ${WEB}: { policy: semver, range: ^1 }\n`);
}, 120_000);

it("a rollback in Git stays, through a restart of the engine, until something newer comes", async () => {
  await clone.git("pull", "--quiet", "--rebase", "origin", "main");
  await clone.edit("apps/web.yaml", ":1.9.0", ":1.8.0");
  expect((await clone.push("back to 1.8")).code).toBe(0);
  engine = await engine.crash();
  await clone.git("remote", "set-url", "origin", engine.repositoryUrl);
  await eventually(
    "it is told that it is held",
    async () => (/1\.9\.0 is held: somebody went back from it/.test(engine.output()) ? true : undefined),
    60_000,
  );
  expect(await versionInGit()).toBe("1.8.0");
  expect((await engine.sluice("image", "set", WEB, "1.10.0")).code).toBe(0);
  await untilGitSays("1.10.0");
}, 120_000);

it.each([
  ["a tag with a line end", [WEB, "1.0\nevil: true"]],
  ["a name that is none", ["Shop Web", "1.0.0"]],
  ["a digest that is none", [WEB, "1.0.0@sha256:12"]],
])("%s is refused", async (_, words) => {
  const { code, output } = await engine.sluice("image", "set", ...words);
  expect(code).toBe(2);
  expect(output).toMatch(/cannot be announced|must be an image's name/);
});
