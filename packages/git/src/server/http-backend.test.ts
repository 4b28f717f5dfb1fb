import { execFile, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ScratchRepository, scratchRepository } from "../testing/scratch-repository.ts";
import { initBareRepository } from "./bare-repository.ts";
import { gitHttpBackend } from "./http-backend.ts";

let repository: ScratchRepository;
let folder: string;
let server: Server;
let base: string;
let answered: Promise<void>[];

beforeEach(async () => {
  repository = scratchRepository();
  folder = mkdtempSync(join(tmpdir(), "sluice-http-"));
  answered = [];
  const handler = gitHttpBackend({ repositories: { deploy: repository.path }, prefix: "/git/" });
  server = createServer((req, res) => void answered.push(handler(req, res)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await Promise.all(answered);
  repository.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function git(...args: string[]): Promise<string> {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0" };
  const who = ["-c", "user.name=A", "-c", "user.email=a@example.test"];
  const { stdout, stderr } = await promisify(execFile)("git", [...who, ...args], { cwd: folder, env });
  return stdout + stderr;
}
async function status(
  path: string,
  options: { method?: string; body?: Buffer; headers?: object } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const one = request(
      base,
      { path, method: options.method ?? "GET", headers: { ...options.headers } },
      (res) => {
        res.resume().on("end", () => resolve(res.statusCode ?? 0));
      },
    );
    one.on("error", reject).end(options.body);
  });
}

describe("the repository over HTTP", () => {
  it("can be cloned, pushed to and fetched from", async () => {
    const first = repository.commit({ "apps/web.yaml": "id: web\n" });
    await git("clone", "--quiet", `${base}/git/deploy.git`, "one");
    await git("clone", "--quiet", `${base}/git/deploy`, "two");
    writeFileSync(join(folder, "one", "new"), "x".repeat(2_000_000));
    await git("-C", "one", "add", ".");
    await git("-C", "one", "commit", "--quiet", "-m", "new");
    await git("-C", "one", "push", "--quiet", "origin", "main");
    await git("-C", "two", "pull", "--quiet");
    const pushed = repository.git("rev-parse", "main");
    expect(pushed).not.toBe(first);
    expect((await git("-C", "two", "rev-parse", "HEAD")).trim()).toBe(pushed);
  });

  it("shows the words of a hook that refuses a push, and keeps its branch", async () => {
    const before = repository.commit({ a: "1" });
    const hook = join(repository.path, "hooks", "pre-receive");
    writeFileSync(hook, "#!/bin/sh\necho 'apps/web.yaml:3: no image'\nexit 1\n");
    chmodSync(hook, 0o755);
    await git("clone", "--quiet", `${base}/git/deploy.git`, "one");
    await git("-C", "one", "commit", "--quiet", "--allow-empty", "-m", "bad");
    await expect(git("-C", "one", "push", "origin", "main")).rejects.toMatchObject({
      stderr: expect.stringContaining("remote: apps/web.yaml:3: no image"),
    });
    expect(repository.git("rev-parse", "main")).toBe(before);
  });

  it.each([
    ["/git/other.git/info/refs?service=git-upload-pack"],
    ["/git/deploy.git/HEAD"],
    ["/git/deploy.git/objects/info/packs"],
    ["/git/deploy.git/config"],
    ["/git/../deploy.git/info/refs?service=git-upload-pack"],
    ["/git/deploy.git/../../etc/passwd"],
    ["/git/%2e%2e/deploy.git/info/refs?service=git-upload-pack"],
    ["/git/constructor/info/refs?service=git-upload-pack"],
    ["/git/deploy.git/info/refs"],
    ["/git/deploy.git/info/refs?service=git-evil"],
    ["/git/deploy.git/git-upload-pack"],
    ["/deploy.git/info/refs?service=git-upload-pack"],
  ])("answers 404 to GET %s", async (path) => {
    repository.commit({ a: "1" });
    expect(await status(path)).toBe(404);
  });

  it("reads a request's body that was compressed", async () => {
    const commit = repository.commit({ a: "1" });
    const line = (text: string) => `${(text.length + 4).toString(16).padStart(4, "0")}${text}`;
    const body = gzipSync(`${line(`want ${commit} no-progress\n`)}0000${line("done\n")}`);
    const headers = {
      "content-type": "application/x-git-upload-pack-request",
      "content-encoding": "gzip",
    };
    expect(await status("/git/deploy.git/git-upload-pack", { method: "POST", body, headers })).toBe(200);
  });

  it("ends git and its hooks when the client goes away", async () => {
    repository.commit({ a: "1" });
    const alive = join(folder, "hook");
    const hook = join(repository.path, "hooks", "pre-receive");
    writeFileSync(hook, `#!/bin/sh\necho $$ > ${alive}\nexec sleep 600\n`);
    chmodSync(hook, 0o755);
    await git("clone", "--quiet", `${base}/git/deploy.git`, "one");
    await git("-C", "one", "commit", "--quiet", "--allow-empty", "-m", "slow");
    // A client whose connection alone is cut may ask again; one that is killed does not.
    const client = spawn("git", ["-C", join(folder, "one"), "push", "origin", "main"], {
      detached: true,
      stdio: "ignore",
    });
    const gone = new Promise((resolve) => client.once("exit", (_code, signal) => resolve(signal)));
    const running = () => repository.childrenOf(process.pid, "http-backend");
    await expect.poll(running, { timeout: 5000 }).toHaveLength(1);
    await expect.poll(() => isRunning(alive), { timeout: 5000 }).toBe(true);
    process.kill(-(client.pid as number), "SIGKILL");
    await expect.poll(running, { timeout: 5000 }).toHaveLength(0);
    await expect.poll(() => isRunning(alive), { timeout: 5000 }).toBe(false);
    expect(await gone).toBe("SIGKILL");
  });

  /** True while the process whose number the file holds runs. */
  function isRunning(file: string): boolean {
    try {
      // A dead process that nobody has reaped yet (state Z) runs no more.
      const state = execFileSync("ps", ["-o", "stat=", "-p", readFileSync(file, "utf8").trim()]);
      return !state.toString().startsWith("Z");
    } catch {
      return false;
    }
  }
});

describe("a new bare repository", () => {
  it("has the branch it was told and can be pushed to; made again, it keeps what it holds", async () => {
    const path = join(folder, "new.git");
    await initBareRepository(path, { defaultBranch: "trunk" });
    await git("init", "--quiet", "-b", "trunk", "work");
    await git("-C", "work", "commit", "--quiet", "--allow-empty", "-m", "first");
    await git("-C", "work", "push", "--quiet", path, "trunk");
    const head = (await git("-C", path, "rev-parse", "HEAD")).trim();
    await initBareRepository(path, { defaultBranch: "trunk" });
    expect((await git("-C", path, "rev-parse", "HEAD")).trim()).toBe(head);
  });

  it("can be made without a git program", async () => {
    const path = join(folder, "pure.git");
    await initBareRepository(path, { defaultBranch: "trunk", git: "/nowhere/git" });
    expect((await git("-C", path, "symbolic-ref", "HEAD")).trim()).toBe("refs/heads/trunk");
  });

  it("may not have a default branch that git refuses", async () => {
    const options = { defaultBranch: "-evil" };
    await expect(initBareRepository(join(folder, "x"), options)).rejects.toMatchObject({
      code: "GIT_REF_INVALID",
    });
  });
});
