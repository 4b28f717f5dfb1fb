import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedMarathon, embeddedMarathon } from "@sluice/embedded";
import { afterAll, beforeAll, expect, it } from "vitest";
import { watchArguments } from "../harness/child-arguments.ts";
import { cloneDeployRepo, type DeployClone } from "../harness/deploy-clone.ts";
import { type EchoingMarathon, echoingMarathon } from "../harness/echoing-marathon.ts";
import { removeEngine, sluice, startEngine, type TestEngine } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";

const STORY_MS = 120_000;
const ENGINE_TOKEN = "Leak-engine-token";
const PASSWORD = "Leak-scheduler-password";
/** What becomes of each job: how the scheduler answers its writes decides it. */
const REASONS = {
  good: "Applied",
  crashed: "HealthTimeout",
  invalid: "Refused",
  malformed: "Refused",
  page: "Unreachable",
  moved: "Unreachable",
};

let folder: string;
let marathon: EmbeddedMarathon;
let echo: EchoingMarathon;
let engine: TestEngine;
let clone: DeployClone;
/** Everything that came out of the engine, by where it came out. */
const heard = new Map<string, string>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-secrets-"));
  marathon = await embeddedMarathon({ dataDir: join(folder, "marathon"), execution: "simulated" });
  echo = await echoingMarathon(marathon.address);
  await writeFile(join(folder, "password"), PASSWORD);
  await writeFile(join(folder, "token"), ENGINE_TOKEN);
  const target = {
    type: "marathon",
    addresses: [echo.address],
    username: "sluice",
    passwordFile: join(folder, "password"),
    heal: false,
    wait: "3s",
  };
  engine = await startEngine({
    settings: {
      http: { port: 0, tokenFile: join(folder, "token") },
      environments: { production: { targets: { apps: target }, driftInterval: "2s" } },
    },
  });
  clone = await cloneDeployRepo(engine.repositoryUrl.replace("http://", `http://me:${ENGINE_TOKEN}@`));
  await mkdir(join(clone.folder, "apps"));
}, STORY_MS);

afterAll(async () => {
  await clone?.cleanUp();
  if (engine) await removeEngine(engine);
  await echo?.stop();
  await marathon?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A job with a secret in every place that can hold one. Each secret has `Leak` in it, and nothing else has. */
function job(name: string, round: number): object {
  const leak = (place: string) => `Leak-${place}-${round}`;
  return {
    id: `/${name}`,
    args: ["./serve", "--password", leak("args"), `--api-key=${leak("argument")}`, "--port=80"],
    cpus: 0.1,
    mem: 16,
    env: { PLAIN: leak("env"), QUOTED: `${leak("quoted")} "and more"\n${leak("second-line")}` },
    labels: { dbPassword: leak("label"), team: "shop" },
    fetch: [{ uri: `https://user:${leak("fetch")}@files.example.test/registry-auth.tar.gz` }],
    container: {
      type: "DOCKER",
      docker: {
        image: `registry.example.test/${name}:${round}`,
        parameters: [
          { key: "env", value: `DB=${leak("parameter")}` },
          { key: "log-opt", value: `url=https://log:${leak("log-opt")}@logs.example.test` },
        ],
      },
    },
  };
}

async function push(round: number): Promise<void> {
  for (const name of Object.keys(REASONS))
    await clone.write(`apps/${name}.json`, JSON.stringify(job(name, round), undefined, 2));
  heard.set(`git push ${round}`, (await clone.push(`round ${round}`)).output);
}

type Statuses = { jobs: { key: string; reason: string }[] };

/** Waits until every job has come to what it comes to. */
async function settle(reasons: Readonly<Record<string, string>>): Promise<void> {
  const expected = Object.entries(reasons).map(([name, reason]) => [`apps/${name}`, reason]);
  await eventually(
    `the jobs come to ${JSON.stringify(reasons)}`,
    async () => {
      const { jobs } = await ask<Statuses>("/api/v1/environments/production");
      // What is tried again and again is either being tried or waits for the next time.
      const now = jobs.map(({ key, reason }) => [key, reason === "Pending" ? "Unreachable" : reason]).sort();
      expect(now).toEqual(expected.sort());
      return true;
    },
    60_000,
  );
}

/** Streams go on for ever: what came until the deadline is what they say. */
async function get(path: string): Promise<string> {
  const headers = { authorization: `Bearer ${ENGINE_TOKEN}` };
  const deadline = AbortSignal.timeout(STREAMS.has(path) ? 3_000 : 15_000);
  let text = "";
  try {
    const answer = await fetch(engine.address + path, { headers, signal: deadline });
    expect(answer.status).toBeLessThan(500);
    text += JSON.stringify([...answer.headers]);
    for await (const part of answer.body ?? []) text += Buffer.from(part).toString();
  } catch (error) {
    if (!STREAMS.has(path) || !deadline.aborted) throw error;
  }
  return text;
}

async function ask<T>(path: string): Promise<T> {
  const headers = { authorization: `Bearer ${ENGINE_TOKEN}` };
  return (await (await fetch(engine.address + path, { headers })).json()) as T;
}

async function tell(where: string, ...words: string[]): Promise<void> {
  const env = { SLUICE_SERVER: engine.address, SLUICE_TOKEN: ENGINE_TOKEN };
  heard.set(`sluice ${where}`, (await sluice(words, { env })).output);
}

const ROUTES = [
  "/api/v1/environments",
  "/api/v1/environments/production",
  "/api/v1/environments/production/diff",
  ...Object.keys(REASONS).map((name) => `/api/v1/environments/production/history?job=apps/${name}`),
  "/api/v1/environments/production/events",
  "/api/v1/environments/production/follow",
  "/api/v1/branches",
  "/api/v1/builds",
  "/events",
  "/metrics",
  "/healthz",
  "/readyz",
];

const STREAMS: ReadonlySet<string> = new Set(["/events", "/api/v1/environments/production/follow"]);

async function hearAll(when: string): Promise<void> {
  const words = [["diff"], ["status"], ["events"], ["history", "apps/good"]];
  await Promise.all([
    ...ROUTES.map(async (path) => heard.set(`${when}: GET ${path}`, await get(path))),
    ...words.map((one) => tell(`${when}: ${one.join(" ")} as a table`, ...one)),
    ...words.map((one) => tell(`${when}: ${one.join(" ")} as JSON`, ...one, "-o", "json")),
  ]);
  const { embedded } = JSON.parse(await readFile(join(engine.folder, "sluice.yaml"), "utf8")) as {
    embedded: { consulPort: number };
  };
  const rows = await fetch(`http://127.0.0.1:${embedded.consulPort}/v1/kv/?recurse`);
  for (const { Key, Value } of (await rows.json()) as { Key: string; Value: string | null }[])
    if (!Key.includes("/files/"))
      heard.set(`${when}: key ${Key}`, `${Key} ${Buffer.from(Value ?? "", "base64").toString()}`);
}

/** Somebody changes the job in the scheduler. */
async function drift(): Promise<void> {
  const answer = await fetch(`${marathon.address}/v2/apps/good?force=true&partialUpdate=true`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ env: { PLAIN: "Leak-drift" }, args: ["./serve", "--password", "Leak-drift"] }),
  });
  expect(answer.status).toBe(200);
  await settle({ ...REASONS, good: "Drifted" });
}

/** Files with problems, each at a value that is a secret. */
const PROBLEMS = {
  alias: "id: /good\ncmd: x\nenv: { PW: *Leak-alias }\n",
  tag: "id: /good\ncmd: x\nenv: { PW: !Leak-tag x }\n",
  block: "id: /good\ncmd: x\nenv:\n  PW: |Leak-block\n    x\n",
  shape: "id: /good\ncmd: x\nenv: [Leak-list]\nfetch: Leak-fetch\ncpus: Leak-number\n",
  choice: "id: /good\ncmd: x\ncontainer: { type: Leak-type }\n",
};

async function refusedPushes(): Promise<void> {
  for (const [name, text] of Object.entries(PROBLEMS)) {
    await clone.write(`apps/${name}.yaml`, text);
    const { code, output } = await clone.push(name);
    expect(code, output).not.toBe(0);
    expect(output).toContain(`apps/${name}.yaml`);
    heard.set(`git push of the problem ${name}`, output);
    await clone.git("reset", "--hard", "--quiet", "HEAD~1");
  }
}

/** Where a secret came out, in itself or as the header that carries it. */
function leaks(): string[] {
  const carried = [`sluice:${PASSWORD}`, `me:${ENGINE_TOKEN}`].map((one) =>
    Buffer.from(one).toString("base64"),
  );
  const secret = new RegExp(`.{0,60}(Leak-|${carried.join("|")}).{0,40}`, "s");
  return [...heard].flatMap(([where, text]) => {
    const found = secret.exec(text);
    return found ? [`${where}: ${found[0]}`] : [];
  });
}

it("no secret of a job or of the configuration comes out anywhere but at the scheduler", {
  timeout: STORY_MS,
}, async () => {
  const watch = watchArguments(engine.pid);
  await push(1);
  await settle({ ...REASONS, page: "Applied" });
  await hearAll("applied");
  await tell("suspend", "suspend", "--job", "apps/good");
  await push(2);
  await settle({ ...REASONS, good: "Suspended" });
  await hearAll("suspended");
  await tell("resume", "resume", "--job", "apps/good");
  await settle(REASONS);
  await drift();
  await hearAll("drifted");
  await refusedPushes();
  watch.stop();
  heard.set("command lines", [...watch.seen].join("\n"));
  heard.set("log", engine.output());

  // The story went through what it is about.
  const [, credentials = ""] = echo.authorization?.split(" ") ?? [];
  expect(Buffer.from(credentials, "base64").toString()).toBe(`sluice:${PASSWORD}`);
  for (const where of ["git push 2", "sluice suspended: diff as a table", "sluice suspended: diff as JSON"])
    expect(heard.get(where), where).toContain("•••");
  expect(watch.seen.size).toBeGreaterThan(0);
  expect(leaks()).toEqual([]);
});
