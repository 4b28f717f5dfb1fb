import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createSocketServer, type Server as SocketServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FakeJenkins, fakeJenkins } from "@sluice/build-trigger/testing";
import { type EmbeddedConsul, embeddedConsul } from "@sluice/embedded";
import { initBareRepository } from "@sluice/git";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gitVersion } from "../doctor/machine.ts";
import { doctor } from "./doctor.ts";

let folder: string;
let consul: EmbeddedConsul;
let jenkins: FakeJenkins;
let docker: Server;
const sockets: SocketServer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-doctor-test-"));
  consul = await embeddedConsul({ dataDir: join(folder, "consul") });
  jenkins = await fakeJenkins(async () => "SUCCESS");
  docker = await listening(({ url }, response) => {
    response.setHeader("content-type", "application/json");
    response.end(url?.includes("/containers/json") ? "[]" : "{}");
  });
  await initBareRepository(join(folder, "deploy.git"), { defaultBranch: "main" });
  await program("haproxy", 'echo "HAProxy version 2.6.12"');
  await program("refusing", 'echo "[ALERT] no such keyword" >&2; [ "$1" = -v ]');
  for (const name of ["master.sock", "runtime.sock"]) {
    const server = createSocketServer((socket) => socket.end());
    await new Promise<void>((resolve) => server.listen(join(folder, name), resolve));
    sockets.push(server);
  }
});
afterAll(async () => {
  for (const one of [docker, ...sockets]) await new Promise((resolve) => one.close(resolve));
  await jenkins.close();
  await consul.stop();
  await rm(folder, { recursive: true, force: true });
});

function listening(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
const addressOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
async function program(name: string, script: string): Promise<void> {
  const file = join(folder, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

function jenkinsCi(username: string): object {
  return { type: "jenkins", url: jenkins.url, job: "team/shop", username, tokenFile: "jenkins.token" };
}

/** A configuration of everything, in order; `more` is put over it. */
function config(more: object = {}): object {
  return {
    dataDir: "data",
    http: { port: 0 },
    consul: { address: consul.address },
    environments: { shop: { source: { repository: "deploy.git" } } },
    builds: {
      shop: {
        ci: jenkinsCi("robot"),
      },
    },
    webhooks: { registry: { secretFile: "registry.secret" } },
    registrar: { docker: addressOf(docker) },
    router: {
      configFile: "haproxy.cfg",
      settings: { http_port: 8080 },
      balancer: {
        type: "haproxy",
        program: join(folder, "haproxy"),
        masterSocket: "master.sock",
        runtimeSocket: "runtime.sock",
      },
    },
    ...more,
  };
}

async function run(settings: object): Promise<{ code: number; lines: string[] }> {
  await writeFile(join(folder, "jenkins.token"), "api-token\n");
  await writeFile(join(folder, "registry.secret"), "secret\n");
  await writeFile(join(folder, "sluice.yaml"), JSON.stringify(settings));
  let printed = "";
  const context = {
    cwd: folder,
    env: {},
    out: (text: string) => {
      printed += text;
    },
    err: () => undefined,
    signal: new AbortController().signal,
    tty: false,
  };
  const code = await doctor({ server: "http://127.0.0.1:1" }, context);
  return { code, lines: printed.replaceAll(`${folder}/`, "").trimEnd().split("\n") };
}

it("finds everything in order that is configured", async () => {
  const { code, lines } = await run(config());
  expect(lines.filter((line) => !line.startsWith("✔"))).toEqual([
    "◎ no engine answers at http://127.0.0.1:1 (start one with `sluice up`)",
  ]);
  expect(lines.map((line) => line.slice(2).replace(/[\d.]{3,}.*/, "…"))).toEqual([
    "no engine answers at http://…",
    "Node …",
    "git version …",
    "data folder data can be written",
    "port 0 is free for Sluice's HTTP server",
    "webhooks.registry.secretFile: registry.secret can be read",
    "builds.shop.ci.tokenFile: jenkins.token can be read",
    "Consul: answers",
    "Consul at http://…",
    "deploy repo of shop: the branch main does not exist yet",
    "notes and commits of shop: refs/notes/deployments and the branch can be written",
    "CI of shop: the job team/shop can be built",
    "Docker at http://…",
    "router's template: it renders, and the load balancer takes it",
    "HAProxy: HAProxy version …",
    "HAProxy's master socket: master.sock answers",
    "HAProxy's runtime socket: runtime.sock answers",
  ]);
  expect(code).toBe(0);
});

const AWAY = "http://127.0.0.1:1";
const balancer = { type: "haproxy", masterSocket: "none.sock", runtimeSocket: "none.sock" };
const router = { configFile: "haproxy.cfg", settings: { http_port: 8080 } };

it.each<[string, () => object, RegExp[]]>([
  [
    "Docker is away",
    () => ({ registrar: { docker: "unix:///nowhere/docker.sock" } }),
    [/^✗ Docker at unix:\/\/\/nowhere\/docker.sock: could not list.*ENOENT$/, /^ {4}Is Docker started/],
  ],
  [
    "a swarm is away",
    () => ({
      environments: {
        shop: {
          source: { repository: "deploy.git" },
          targets: { services: { type: "swarm", addresses: ["unix:///nowhere/docker.sock"] } },
        },
      },
    }),
    [/^✗ target services of shop: .*\/nowhere\/docker.sock/, /^ {4}Is Docker started as a swarm's manager/],
  ],
  [
    "Consul is away",
    () => ({ consul: { address: AWAY } }),
    [
      /^✗ Consul: .*ECONNREFUSED/,
      /^ {4}Is it started/,
      /^✗ Consul at .*ECONNREFUSED/,
      /^ {4}Install Consul 1.8/,
    ],
  ],
  [
    "a secret's file is missing",
    () => ({ webhooks: { registry: { secretFile: "nowhere" } } }),
    [/^✗ webhooks.registry.secretFile: nowhere: ENOENT$/, /^ {4}Write it to nowhere/],
  ],
  [
    "the CI does not answer",
    () => ({ builds: { shop: { ci: { type: "http", url: AWAY, secretFile: "registry.secret" } } } }),
    [
      /^✗ CI of shop: the CI does not answer at http:\/\/127.0.0.1:1: ECONNREFUSED$/,
      /^ {4}Check the address/,
    ],
  ],
  [
    "the CI refuses the credentials",
    () => ({
      builds: {
        shop: {
          ci: jenkinsCi("stranger"),
        },
      },
    }),
    [
      /^✗ CI of shop: Jenkins refused the credentials for a look at team\/shop \(403\)$/,
      /^ {4}Check the address, the account/,
    ],
  ],
  [
    "HAProxy is not installed and does not run",
    () => ({ router: { ...router, balancer: { ...balancer, program: "/nowhere/haproxy" } } }),
    [
      /^✗ router's template: .*\/nowhere\/haproxy/,
      /^ {4}/,
      /^✗ HAProxy: /,
      /^ {4}Install HAProxy/,
      /^✗ HAProxy's master socket: nothing listens at none.sock: ENOENT$/,
      /^ {4}Start it: haproxy -W -S/,
      /^✗ HAProxy's runtime socket: nothing listens at none.sock: ENOENT$/,
      /^ {4}Start it: haproxy -W -S/,
    ],
  ],
  [
    "the load balancer refuses what the template makes",
    () => ({
      router: {
        ...router,
        balancer: {
          type: "haproxy",
          program: join(folder, "refusing"),
          masterSocket: "master.sock",
          runtimeSocket: "runtime.sock",
        },
      },
    }),
    [/^✗ router's template: the load balancer refuses what it makes: .*no such keyword/, /^ {4}/],
  ],
  [
    "the template is none",
    () => ({
      router: {
        ...router,
        templateFile: "broken.liquid",
        balancer: { type: "commands", check: ["true"], reload: ["true"] },
      },
    }),
    [/^✗ router's template: /, /^ {4}/],
  ],
])("says what to mend where %s", async (_, broken, expected) => {
  await writeFile(join(folder, "broken.liquid"), "{% for one in routes %}");
  const { code, lines } = await run(config(broken()));
  expect(lines.slice(1).filter((line) => !line.startsWith("✔"))).toEqual(
    expected.map((pattern) => expect.stringMatching(pattern)),
  );
  expect(code).toBe(1);
});

it("a repository that cannot be written is told where it would be written to", async () => {
  const repository = join(folder, "files.git");
  await mkdir(repository);
  // A file where a folder should be is in the way of everybody, also of root.
  await writeFile(join(repository, "refs"), "");
  const { code, lines } = await run(config({ environments: { shop: { source: { repository } } } }));
  expect(lines).toContainEqual(
    expect.stringMatching(/^✗ notes and commits of shop: files.git\/refs\/notes cannot be written$/),
  );
  expect(code).toBe(1);
});

it.each([
  ["git version 2.35.9", { good: false, text: "git version 2.35.9: older than 2.36" }],
  ["git version 2.36.0", { good: true, text: "git version 2.36.0" }],
  ["git version 3.0.1", { good: true, text: "git version 3.0.1" }],
])("judges %s", async (says, finding) => {
  await program("git-double", `echo "${says}"`);
  expect(await gitVersion(join(folder, "git-double"))).toMatchObject(finding);
});
