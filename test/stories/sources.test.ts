import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gitHttpBackend } from "@sluice/git";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BareRepo, bareRepo } from "../harness/bare-repo.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { readMirrored } from "../harness/mirrored.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";

const PASSWORD = "s3cret-pass";

/** One process that mirrors three environments: two of one remote repository, one of a local one. */
describe("an engine of several sources", () => {
  let remote: BareRepo;
  let local: BareRepo;
  let server: Server;
  let folder: string;
  let engine: RoleProcess;
  let consul: string;
  let password: string;
  let refused: number;

  beforeEach(async () => {
    [remote, local] = [bareRepo(), bareRepo()];
    folder = mkdtempSync(join(tmpdir(), "sluice-sources-"));
    password = PASSWORD;
    refused = 0;
    const handler = gitHttpBackend({ repositories: { deploy: remote.folder } });
    server = createServer((req, res) => {
      const expected = `Basic ${Buffer.from(`deployer:${password}`).toString("base64")}`;
      if (req.headers.authorization === expected) return void handler(req, res);
      refused += 1;
      res.writeHead(401, { "www-authenticate": 'Basic realm="deploy"' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    await engine?.remove();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    for (const repo of [remote, local]) repo.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(limits: object = {}): Promise<void> {
    const consulPort = await freePort();
    consul = `http://127.0.0.1:${consulPort}`;
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
    const repository = `http://127.0.0.1:${(server.address() as AddressInfo).port}/deploy.git`;
    const source = { repository, auth: { username: "deployer", passwordFile }, interval: "200ms" };
    const config = {
      http: { port: 0 },
      embedded: { consulPort },
      limits,
      environments: {
        staging: { source },
        production: { source: { ...source, path: "prod" } },
        edge: { source: { repository: local.folder, interval: "200ms" } },
      },
    };
    engine = await startRoles({ roles: ["consul", "mirror"], config });
  }
  function shows(
    environment: string,
    commit: string,
    files: Readonly<Record<string, string>>,
  ): Promise<unknown> {
    return eventually(`${environment} shows ${commit}`, async () => {
      const seen = await readMirrored(consul, environment);
      if (!seen?.synced || seen.commit !== commit) return undefined;
      expect(seen.files).toEqual(files);
      return true;
    });
  }

  it("shares one clone, and goes on while one repository is damaged", async () => {
    const first = remote.commit({ a: "1", "prod/b": "1" });
    const whole = local.commit({ c: "1" });
    await start();
    await shows("staging", first, { a: "1", "prod/b": "1" });
    await shows("production", first, { b: "1" });
    await shows("edge", whole, { c: "1" });
    const [damaged, mend] = damagedCommit(local.folder, "lost");
    await engine.printed(/edge.*the repository has no object|no object.*edge/);
    const second = remote.commit({ a: "2", "prod/b": "2" });
    await shows("staging", second, { a: "2", "prod/b": "2" });
    await shows("production", second, { b: "2" });
    expect((await readMirrored(consul, "edge"))?.commit).toBe(whole);
    mend();
    await shows("edge", damaged, { d: "lost" });
    expect(readdirSync(join(engine.folder, ".sluice", "clones"))).toHaveLength(1);
  });

  it("takes a new password without a restart, and tells nobody what it is", async () => {
    const first = remote.commit({ a: "1" });
    await start();
    await shows("staging", first, { a: "1" });
    password = "rotated-pass";
    const second = remote.commit({ a: "2" });
    await engine.printed(/refused the credentials/);
    expect(refused).toBeGreaterThan(0);
    expect((await readMirrored(consul, "staging"))?.commit).toBe(first);
    writeFileSync(join(folder, "password"), password);
    await shows("staging", second, { a: "2" });
    for (const secret of [PASSWORD, password, Buffer.from(`deployer:${PASSWORD}`).toString("base64")]) {
      expect(engine.output()).not.toContain(secret);
      const found = spawnSync("grep", ["-rl", "--", secret, join(engine.folder, ".sluice")]);
      expect({ status: found.status, files: found.stdout.toString() }).toEqual({ status: 1, files: "" });
    }
  });

  it("refuses what is beyond the limits, names the file or folder and the limit, and keeps what was there", async () => {
    const first = remote.commit({ a: "1" });
    const whole = local.commit({ c: "1" });
    await start({ maxFileBytes: 1_000, maxFiles: 50 });
    await shows("staging", first, { a: "1" });
    await shows("edge", whole, { c: "1" });
    remote.commit({ a: "1", big: "x".repeat(1_001) });
    await engine.printed(/big.*1001 bytes.*1000/);
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`apps/f${at}`, `${at}`]));
    local.commit({ ...many });
    await engine.printed(/"apps\/" has more than 50 entries \(limits\.maxFiles\)/);
    expect((await readMirrored(consul, "staging"))?.commit).toBe(first);
    expect((await readMirrored(consul, "edge"))?.commit).toBe(whole);
    const small = remote.commit({ a: "3" });
    await shows("staging", small, { a: "3" });
  });
});

/** Moves the branch to a commit whose one blob is lost; returns the commit and what puts the blob back. */
function damagedCommit(repository: string, content: string): [commit: string, mend: () => void] {
  const git = (args: readonly string[], input = "") =>
    execFileSync("git", ["-C", repository, ...args], { input })
      .toString()
      .trim();
  const blob = git(["hash-object", "-w", "--stdin"], content);
  const file = join(repository, "objects", blob.slice(0, 2), blob.slice(2));
  const tree = git(["mktree"], `100644 blob ${blob}\td\n`);
  const who = ["-c", "user.name=A", "-c", "user.email=a@example.test"];
  const commit = git([...who, "commit-tree", "-p", "main", "-m", "x", tree]);
  renameSync(file, `${file}.away`);
  git(["update-ref", "refs/heads/main", commit]);
  return [commit, () => renameSync(`${file}.away`, file)];
}
