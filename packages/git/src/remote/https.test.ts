import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommitId, type Source, systemClock } from "@sluice/core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { gitSource } from "../git-source.ts";
import { type Certificate, pemsOf, type TestAuthority, testAuthority } from "../testing/certificates.ts";
import { type GitServer, gitServer } from "../testing/git-server.ts";
import { type ScratchRepository, scratchRepository } from "../testing/scratch-repository.ts";
import type { RemoteAccess } from "./access.ts";

const SECRET = "s3cret-t0ken";
const basicOf = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

let authority: TestAuthority;
let stranger: TestAuthority;
let certificate: Certificate;
let repository: ScratchRepository;
let folder: string;
let server: GitServer;
let secretFile: string;
let commit: CommitId;
let sources: Source[];
let others: GitServer[];

beforeAll(() => {
  authority = testAuthority();
  stranger = testAuthority();
  certificate = authority.issue("server");
});
afterAll(() => {
  authority.remove();
  stranger.remove();
});
beforeEach(async () => {
  repository = scratchRepository();
  commit = repository.commit({ a: "1" });
  folder = mkdtempSync(join(tmpdir(), "sluice-https-"));
  secretFile = join(folder, "secret");
  writeFileSync(secretFile, `${SECRET}\n`);
  sources = [];
  others = [];
  server = await gitServer(repository.path, pemsOf(certificate));
});
afterEach(async () => {
  for (const source of sources) await source.close();
  for (const one of [server, ...others]) await one.stop();
  repository.remove();
  rmSync(folder, { recursive: true, force: true });
});

function open(access: RemoteAccess, git: { git?: false }, url = server.url): Promise<Source> {
  const shared = { clock: systemClock, random: Math.random };
  const where = { repository: url, branch: "main", cacheDir: join(folder, "clones") };
  return gitSource({ ...where, ...shared, ...git, access }).then((source) => {
    sources.push(source);
    return source;
  });
}
async function failure(source: Source): Promise<{ code: string; message: string }> {
  const error = await source.head().catch((thrown: unknown) => thrown);
  if (!(error instanceof Error)) throw new Error("it did not fail");
  return error as unknown as { code: string; message: string };
}
/** Everything that was written below the clones' folder and may be read as text. */
function written(): string {
  const entries = readdirSync(join(folder, "clones"), { recursive: true, withFileTypes: true });
  const files = entries.filter((one) => one.isFile());
  return files.map((one) => readFileSync(join(one.parentPath, one.name), "latin1")).join("\n");
}

describe.each([
  ["the git program", {}],
  ["isomorphic-git", { git: false as const }],
])("a repository behind https reached by %s", (_, git) => {
  it.each<[string, (file: string) => RemoteAccess["auth"], string]>([
    [
      "a user and a password",
      (passwordFile) => ({ username: "deployer", passwordFile }),
      basicOf("deployer", SECRET),
    ],
    ["a token", (tokenFile) => ({ tokenFile }), basicOf("x-access-token", SECRET)],
    ["a bearer token", (tokenFile) => ({ tokenFile, scheme: "bearer" }), `Bearer ${SECRET}`],
  ])("is read with %s, which is written nowhere", async (_name, auth, expected) => {
    server.authorization = expected;
    const source = await open(
      { ca: authority.ca, auth: auth(secretFile) as NonNullable<RemoteAccess["auth"]> },
      git,
    );
    expect(await source.head()).toBe(commit);
    expect((await source.tree(commit)).map((file) => file.path)).toEqual(["a"]);
    expect(server.requests.map((one) => one.authorization)).toEqual(server.requests.map(() => expected));
    expect(written()).not.toContain(SECRET);
    expect(written()).not.toContain(expected.split(" ")[1]);
  });

  it("says in a sentence, without the secret, that the credentials are wrong; takes new ones without a restart", async () => {
    server.authorization = basicOf("deployer", "another");
    const source = await open(
      { ca: authority.ca, auth: { username: "deployer", passwordFile: secretFile } },
      git,
    );
    const { code, message } = await failure(source);
    expect({ code, message }).toEqual({
      code: "GIT_DENIED",
      message: `${server.url} refused the credentials (401)`,
    });
    writeFileSync(secretFile, "another");
    expect(await source.head()).toBe(commit);
    server.authorization = basicOf("deployer", "a third");
    repository.commit({ a: "2" });
    expect((await failure(source)).code).toBe("GIT_DENIED");
  });

  it("that asks for credentials and gets none is a refusal, too", async () => {
    server.authorization = basicOf("deployer", SECRET);
    const source = await open({ ca: authority.ca }, git);
    expect((await failure(source)).code).toBe("GIT_DENIED");
  });

  it.each([
    ["missing", undefined, "no such file"],
    ["empty", "\n", "holds no secret"],
    ["of two lines", `${SECRET}\nX-Injected: 1`, "more than one line"],
  ])("is not asked with a secret that is %s", async (_name, content, why) => {
    const file = join(folder, "other");
    if (content !== undefined) writeFileSync(file, content);
    const source = await open({ ca: authority.ca, auth: { tokenFile: file } }, git);
    const { code, message } = await failure(source);
    expect(code).toBe("GIT_DENIED");
    expect(message).toContain(why);
    expect(message).not.toContain(SECRET);
    expect(server.requests).toEqual([]);
  });

  it.each([
    ["nobody vouches for", () => ({})],
    ["another authority vouches for", () => ({ ca: stranger.ca })],
  ])("is not trusted with a certificate that %s", async (_name, access) => {
    const auth = { username: "deployer", passwordFile: secretFile };
    const source = await open({ ...access(), auth }, git);
    const { code, message } = await failure(source);
    expect(code).toBe("GIT_FAILED");
    expect(message).toMatch(/certificate .*is not trusted/);
    expect(message).not.toContain(SECRET);
    expect(server.requests).toEqual([]);
  });

  it("shows its client certificate to a server that wants one", async () => {
    await server.stop();
    server = await gitServer(repository.path, { ...pemsOf(certificate), ca: readFileSync(authority.ca) });
    const source = await open({ ca: authority.ca, ...authority.issue("client") }, git);
    expect(await source.head()).toBe(commit);
    const without = await open({ ca: authority.ca }, git);
    expect((await failure(without)).code).toBe("GIT_FAILED");
  });

  it("follows a server that sends it on within itself, credentials and all", async () => {
    const expected = basicOf("x-access-token", SECRET);
    server.authorization = expected;
    server.instead = (req, res) => sentOn(req.url, res, "/old.git", "/deploy.git");
    const source = await open(
      { ca: authority.ca, auth: { tokenFile: secretFile } },
      git,
      `${server.origin}/old.git`,
    );
    expect(await source.head()).toBe(commit);
    const next = repository.commit({ b: "1" });
    expect(await source.head()).toBe(next);
  });

  it("never gives its credentials to another server, and says where it was sent", async () => {
    const other = await gitServer(repository.path, pemsOf(certificate));
    others.push(other);
    server.instead = (req, res) => sentOn(req.url, res, "/deploy.git", `${other.origin}/deploy.git`);
    const source = await open({ ca: authority.ca, auth: { tokenFile: secretFile } }, git);
    const { code, message } = await failure(source);
    expect(code).toBe("GIT_DENIED");
    expect(message).toContain(other.url);
    expect(other.requests).toEqual([]);
    const free = await open({ ca: authority.ca }, git);
    expect(await free.head()).toBe(commit);
  });

  it("that sends it round in a circle is given up", async () => {
    server.instead = (req, res) => sentOn(req.url, res, "/deploy.git", "/deploy.git");
    const source = await open({ ca: authority.ca }, git);
    expect((await failure(source)).message).toContain("on and on");
  });

  it("costs one small question while nothing moves, and none of git's processes", async () => {
    const source = await open({ ca: authority.ca }, git);
    await source.head();
    server.requests = [];
    for (let poll = 0; poll < 3; poll++) expect(await source.head()).toBe(commit);
    const seen = server.requests.map(({ method, path }) => `${method} ${path}`);
    expect(seen).toEqual(Array.from({ length: 3 }, () => "POST /deploy.git/git-upload-pack"));
  });

  it.each([
    ["cut short", (res: ServerResponse) => res.writeHead(200, result()).end("003f")],
    ["empty", (res: ServerResponse) => res.writeHead(200, result()).end("")],
    [
      "no protocol of Git's",
      (res: ServerResponse) => res.writeHead(200, { "content-type": "text/html" }).end("<p>"),
    ],
    ["an error", (res: ServerResponse) => res.writeHead(200, result()).end("0010ERR no more\n0000")],
  ])("is unknown, not without the branch, when its answer is %s", async (_name, answer) => {
    const source = await open({ ca: authority.ca }, git);
    expect(await source.head()).toBe(commit);
    server.instead = (_req, res) => {
      answer(res);
      return true;
    };
    expect((await failure(source)).code).toBe("GIT_FAILED");
    server.instead = undefined;
    expect(await source.head()).toBe(commit);
  });

  it("may speak the first version of the protocol", async () => {
    server.instead = (req) => {
      delete req.headers["git-protocol"];
      return false;
    };
    const source = await open({ ca: authority.ca }, git);
    expect(await source.head()).toBe(commit);
    const absent = repository.git("update-ref", "-d", "refs/heads/main");
    expect(absent).toBe("");
    expect(await source.head()).toBeUndefined();
  });

  it("breaks off a fetch beyond its limit, and does not start it again until the branch moves", async () => {
    const noise = randomBytes(3_000_000);
    repository.commit({ noise });
    const shared = { clock: systemClock, random: Math.random, ...git, access: { ca: authority.ca } };
    const limits = { maxFetchBytes: 500_000 };
    const where = { repository: server.url, branch: "main", cacheDir: join(folder, "clones") };
    const source = await gitSource({ ...where, ...shared, limits });
    sources.push(source);
    const { code, message } = await failure(source);
    expect(code).toBe("LIMIT_EXCEEDED");
    expect(message).toContain("limits.maxFetchBytes");
    const packs = readdirSync(join(folder, "clones"), { recursive: true }).filter((name) =>
      String(name).includes("tmp_"),
    );
    expect(packs).toEqual([]);
    server.requests = [];
    expect((await failure(source)).code).toBe("LIMIT_EXCEEDED");
    expect(server.requests).toHaveLength(1);
  });
});

describe("a repository behind https where the environment names a proxy", () => {
  beforeEach(() => {
    vi.stubEnv("all_proxy", "http://127.0.0.1:9");
    vi.stubEnv("no_proxy", "127.0.0.1");
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it("is asked by git, which knows of proxies, with the same credentials and certificates", async () => {
    server.authorization = basicOf("deployer", SECRET);
    const source = await open(
      { ca: authority.ca, auth: { username: "deployer", passwordFile: secretFile } },
      {},
    );
    expect(await source.head()).toBe(commit);
    server.requests = [];
    expect(await source.head()).toBe(commit);
    expect(server.requests.map((one) => one.method)).toEqual(["GET", "POST"]);
    expect(written()).not.toContain(SECRET);
  });

  it("says in a sentence that the credentials or the certificate are wrong", async () => {
    server.authorization = basicOf("deployer", "another");
    const auth = { username: "deployer", passwordFile: secretFile };
    const denied = await failure(await open({ ca: authority.ca, auth }, {}));
    expect(denied.code).toBe("GIT_DENIED");
    expect(denied.message).toMatch(/^the server refused the credentials \(git ls-remote failed: /);
    const untrusted = await failure(await open({ ca: stranger.ca, auth }, {}));
    expect(untrusted.message).toMatch(/^the server's certificate is not trusted \(git ls-remote failed: /);
    for (const { message } of [denied, untrusted]) {
      expect(message).not.toContain(SECRET);
      expect(message).not.toContain(basicOf("deployer", SECRET).slice(6));
    }
  });

  it("never gives its credentials to another server", async () => {
    const other = await gitServer(repository.path, pemsOf(certificate));
    others.push(other);
    server.instead = (req, res) => sentOn(req.url, res, "/deploy.git", `${other.origin}/deploy.git`);
    const source = await open({ ca: authority.ca, auth: { tokenFile: secretFile } }, {});
    expect((await failure(source)).message).toMatch(/^the server sends us on to another address/);
    expect(other.requests).toEqual([]);
  });
});

const result = () => ({ "content-type": "application/x-git-upload-pack-result" });

function sentOn(url: string | undefined, res: ServerResponse, from: string, to: string): boolean {
  if (!url?.startsWith(from)) return false;
  res.writeHead(301, { location: to + url.slice(from.length) }).end();
  return true;
}
