import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { removeEngine, run, startEngine, type TestEngine } from "../harness/engine.ts";

const app = (id: string, instances: number) =>
  `id: /${id}\ncmd: exec sleep 1000 # ${id}\ncpus: 0.1\nmem: 16\ninstances: ${instances}\n`;
const targets = { apps: { type: "marathon" } };

let engine: TestEngine;
let clone: DeployClone;
let first: string;
let keys: string;
beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), "sluice-keys-"));
  const signingKeyFile = join(keys, "key");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", signingKeyFile]);
  engine = await startEngine({
    settings: {
      commits: { name: "Shop Bot", email: "bot@shop.example", signingKeyFile },
      environments: {
        staging: { source: { branch: "main" }, targets },
        production: { source: { branch: "live" }, targets, deploy: false },
      },
    },
  });
  clone = await cloneDeployRepo(engine.repositoryUrl);
  await mkdir(join(clone.folder, "apps"));
  await clone.write("apps/web.yaml", app("web", 1));
  await clone.write("apps/pair.yaml", `${app("a", 1)}---\n${app("b", 1)}`);
  await clone.push("first");
  first = await clone.head();
  expect((await clone.git("push", "origin", "main:live")).code).toBe(0);
  await clone.write("apps/web.yaml", app("web", 2));
  await clone.write("apps/pair.yaml", `${app("a", 2)}---\n${app("b", 2)}`);
  await clone.push("second");
});
afterAll(async () => {
  await clone?.cleanUp();
  if (engine) await removeEngine(engine);
  await rm(keys, { recursive: true, force: true });
});

async function pulled(branch = "main"): Promise<string> {
  await clone.git("fetch", "--quiet", "origin");
  return (await clone.git("reset", "--hard", `origin/${branch}`)).output;
}

async function instances(id: string): Promise<number> {
  const answer = await fetch(`${engine.marathon}/v2/apps/${id}`);
  return ((await answer.json()) as { app: { instances: number } }).app.instances;
}

it("a job is rolled back by a commit that says what, why and who, after the plan was shown", async () => {
  const asked = await engine.sluice("rollback", "apps/web", "-e", "staging", "--to", first.slice(0, 8));
  expect(asked.code).toBe(2);
  expect(asked.output).toMatch(/Roll back apps\/web to main@sha1:[0-9a-f]{8}/);
  expect(asked.output).toMatch(/► update apps\/web \(instances 2 → 1\)/);
  expect(asked.output).toMatch(/nobody is there to be asked; nothing was changed/);
  const to = `main@sha1:${first.slice(0, 8)}`;
  const words = [
    "rollback",
    "apps/web",
    "-e",
    "staging",
    "--to",
    to,
    "--why",
    "it was slow",
    "--yes",
    "--wait",
  ];
  const done = await engine.sluice(...words);
  expect([done.code, done.output]).toEqual([
    0,
    expect.stringMatching(/✔ committed as main@sha1:[0-9a-f]{8}\n/),
  ]);
  expect(await instances("web")).toBe(1);
  await pulled();
  const { output } = await clone.git("log", "-1", "--format=%an|%cn|%B");
  expect(output).toMatch(
    /^\S+\|Shop Bot\|Roll back apps\/web to main@sha1:[0-9a-f]{8}\n\nWhy: it was slow\n\nRestores /,
  );
  expect(output).toMatch(/\nAsked for by \S+@\S+\.\n/);
  expect((await clone.git("diff", "--name-only", "HEAD~1")).output.trim()).toBe("apps/web.yaml");
  expect((await clone.git("cat-file", "commit", "HEAD")).output).toMatch(/^gpgsig -----BEGIN SSH SIGNATURE/m);
});

it("of a file with several jobs, only the one is rolled back", async () => {
  expect(
    (await engine.sluice("rollback", "apps/b", "-e", "staging", "--to", first, "--yes", "--wait")).code,
  ).toBe(0);
  await pulled();
  expect((await clone.git("show", "HEAD:apps/pair.yaml")).output).toBe(`${app("a", 2)}---\n${app("b", 1)}`);
  expect([await instances("a"), await instances("b")]).toEqual([2, 1]);
});

it.each([
  [["apps/b", "--to", "first"], /"first" is no revision/],
  [["apps/b", "--to", "00000000"], /has no commit 00000000 behind it/],
  [["apps/nothing", "--to", "FIRST"], /no file of [0-9a-f]{8} holds the job apps\/nothing/],
  [["apps/b", "--to", "FIRST"], /apps\/b is as it was there already/],
  [["stagin", "--to", "FIRST"], /there is no environment "stagin"/],
])("%j is refused with the reason", async (words, message) => {
  const given = words.map((word) => (word === "FIRST" ? first : word));
  const refused = await engine.sluice("rollback", ...given, "-e", "staging", "--yes");
  expect([refused.code, refused.output]).toEqual([2, expect.stringMatching(message)]);
});

it("a rollback that was planned for another commit than the branch is at is refused", async () => {
  const post = (body: object) =>
    fetch(`${engine.address}/api/v1/environments/staging/rollback`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ job: "apps/a", to: first, ...body }),
    });
  const late = await post({ parent: first });
  expect([late.status, ((await late.json()) as { code: string }).code]).toEqual([409, "GIT_CONFLICT"]);

  const { parent } = (await (await post({})).json()) as { parent: string };
  expect((await post({ parent })).status).toBe(200);
  await pulled();
  const { output } = await clone.git("log", "-1", "--format=%an <%ae>|%cn <%ce>");
  // Nobody said who asked.
  expect(output).toBe("Shop Bot <bot@shop.example>|Shop Bot <bot@shop.example>\n");
});

it("a whole environment is rolled back, files that came since included", async () => {
  await pulled();
  await clone.write("apps/new.yaml", app("new", 1));
  await clone.push("third");
  expect((await engine.sluice("rollback", "staging", "--to", first, "--yes", "--wait")).code).toBe(0);
  await pulled();
  expect((await clone.git("diff", "--stat", first, "HEAD")).output).toBe("");
  expect((await fetch(`${engine.marathon}/v2/apps/new`)).status).toBe(404);
  const again = await engine.sluice("rollback", "staging", "--to", first, "--yes");
  expect(again.output).toMatch(/staging is as main@sha1:[0-9a-f]{8} has it already/);
});

it("a job, or a folder, is promoted from one environment to another", async () => {
  await clone.write("apps/web.yaml", app("web", 3));
  await clone.write("apps/extra.yaml", app("extra", 1));
  await clone.push("fourth");
  const job = await engine.sluice(
    "promote",
    "apps/web",
    "--from",
    "staging",
    "--to",
    "production",
    "--yes",
    "--wait",
  );
  expect([job.code, job.output]).toEqual([
    0,
    expect.stringMatching(/► update apps\/web \(instances 1 → 3\)/),
  ]);
  await clone.git("fetch", "--quiet", "origin");
  expect((await clone.git("diff", "--name-only", first, "origin/live")).output).toBe("apps/web.yaml\n");
  expect(
    (await engine.sluice("promote", "apps", "--from", "staging", "--to", "production", "--yes")).code,
  ).toBe(0);
  await clone.git("fetch", "--quiet", "origin");
  expect((await clone.git("diff", "--name-only", "origin/main", "origin/live")).output).toBe("");
  const same = await engine.sluice("promote", "apps", "--from", "staging", "--to", "production", "--yes");
  expect([same.code, same.output]).toEqual([2, expect.stringMatching(/apps is the same there already/)]);
});

it("a repository elsewhere is rolled back by a push", async () => {
  const bare = join(engine.folder, "elsewhere.git");
  await run("git", ["clone", "--quiet", "--bare", engine.repositoryUrl, bare]);
  const other = await startEngine({
    settings: {
      environments: {
        staging: { source: { repository: `file://${bare}` }, targets },
        hosted: { targets: {}, deploy: false },
      },
    },
  });
  try {
    const words = ["rollback", "apps/web", "-e", "staging", "--to", first, "--yes", "--wait"];
    const done = await other.sluice(...words);
    expect([done.code, done.output]).toEqual([0, expect.stringMatching(/✔ apps\/web healthy/)]);
    const shown = await run("git", ["-C", bare, "show", "main:apps/web.yaml"]);
    expect(shown.output).toBe(app("web", 1));
  } finally {
    await removeEngine(other);
    await rm(bare, { recursive: true, force: true });
  }
});
