import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CommitId,
  type CommitRequest,
  type Committer,
  encodePath,
  type FileEdit,
  systemClock,
} from "@sluice/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type GitServer, gitServer } from "../testing/git-server.ts";
import { type ScratchRepository, scratchRepository } from "../testing/scratch-repository.ts";
import { type GitCommitterOptions, gitCommitter } from "./git-committer.ts";

const SLUICE = { name: "Sluice", email: "sluice@example.test" };
let repository: ScratchRepository;
let folder: string;
let server: GitServer | undefined;
let committers: Committer[];

beforeEach(() => {
  repository = scratchRepository();
  folder = mkdtempSync(join(tmpdir(), "sluice-committer-"));
  server = undefined;
  committers = [];
});
afterEach(async () => {
  for (const one of committers) await one.close();
  await server?.stop();
  repository.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: Partial<GitCommitterOptions> = {}): Promise<Committer> {
  const committer = await gitCommitter({
    repository: repository.path,
    branch: "main",
    cacheDir: join(folder, "clones"),
    committer: SLUICE,
    clock: systemClock,
    random: Math.random,
    ...options,
  });
  committers.push(committer);
  return committer;
}

function edit(path: string | Buffer, text?: string): FileEdit {
  return { path: encodePath(path), content: text === undefined ? undefined : Buffer.from(text) };
}
function request(parent: CommitId, ...edits: FileEdit[]): CommitRequest {
  return { parent, edits, message: "web: 1.0 → 1.1" };
}
function hook(name: string, script: string) {
  mkdirSync(join(repository.path, "hooks"), { recursive: true });
  writeFileSync(join(repository.path, "hooks", name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(repository.path, "hooks", name), 0o755);
}
const head = () => repository.git("rev-parse", "main");
const listing = (commit = "main") =>
  repository.git("ls-tree", "-r", "-z", commit).split("\0").filter(Boolean).sort();

describe("a commit", () => {
  it("creates, updates and deletes the files it names, keeps modes, and leaves everything else as it is", async () => {
    const before = {
      "apps/web.yaml": "old\n",
      "apps/run.sh": { mode: "100755", content: "old\n" },
      "apps-more": "next to a folder of almost that name",
      "gone/deep/only": "x",
      "bytes-\xff/file": "old",
      link: { mode: "120000", content: "/etc/hostname" },
      module: { mode: "160000", content: "0123456789abcdef0123456789abcdef01234567" },
    };
    const parent = repository.commit(before);
    const edits = [
      edit("apps/web.yaml", "new\n"),
      edit("apps/run.sh", "new\n"),
      edit("gone/deep/only"),
      edit("gone/never/there"),
      edit(Buffer.from("bytes-\xff/file", "latin1"), "new"),
      edit("new/folder/file", "new\n"),
    ];
    const commit = await (await open()).commit(request(parent, ...edits));
    expect(head()).toBe(commit);
    expect(repository.git("rev-list", "--parents", "-1", "main")).toBe(`${commit} ${parent}`);
    const { "gone/deep/only": _gone, ...kept } = before;
    const expected = repository.commit(
      {
        ...kept,
        "apps/web.yaml": "new\n",
        "apps/run.sh": { mode: "100755", content: "new\n" },
        "bytes-\xff/file": "new",
        "new/folder/file": "new\n",
      },
      "expected",
    );
    expect(listing(commit)).toEqual(listing(expected));
    expect(repository.git("rev-parse", `${commit}^{tree}`)).toBe(
      repository.git("rev-parse", `${expected}^{tree}`),
    );
    repository.git("fsck", "--strict", "--no-dangling");
  });

  it("tells who made it, whose change it is, and why", async () => {
    const parent = repository.commit({ a: "1" });
    const author = { name: "Ada Löwe", email: "ada@example.test" };
    await (await open()).commit({
      ...request(parent, edit("a", "2")),
      message: "a: 1 → 2\n\nwhy\n\n",
      author,
    });
    expect(repository.git("log", "-1", "--format=%an <%ae>|%cn <%ce>|%B", "main")).toBe(
      "Ada Löwe <ada@example.test>|Sluice <sluice@example.test>|a: 1 → 2\n\nwhy",
    );
  });

  it("works in the folder it was given, as a source of that folder names its files", async () => {
    const parent = repository.commit({ "staging/a": "1", "production/a": "1" });
    await (await open({ path: "staging" })).commit(request(parent, edit("a", "2")));
    expect(repository.git("show", "main:staging/a")).toBe("2");
    expect(repository.git("show", "main:production/a")).toBe("1");
  });

  it("is not made where nothing changes", async () => {
    const parent = repository.commit({ a: "1" });
    expect(await (await open()).commit(request(parent, edit("a", "1"), edit("b")))).toBe(parent);
    expect(head()).toBe(parent);
  });

  it("makes as many objects as the edit needs, however many files there are", async () => {
    const many = Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`f${at % 50}/g${at}`, `${at}`]));
    const parent = repository.commit(many);
    const objects = () =>
      repository.git("cat-file", "--batch-all-objects", "--batch-check").split("\n").length;
    const before = objects();
    await (await open()).commit(request(parent, edit("f7/g7", "new")));
    expect(objects() - before).toBe(4);
  });

  it.each([
    ["a link", "link", "x"],
    ["a submodule", "module", "x"],
    ["a folder", "apps", "x"],
    ["a file in place of a folder", "file/below", "x"],
  ])("is refused where %s stands in the way", async (_, path, text) => {
    const parent = repository.commit({
      link: { mode: "120000", content: "/etc/hostname" },
      module: { mode: "160000", content: "0123456789abcdef0123456789abcdef01234567" },
      "apps/web": "1",
      file: "1",
    });
    const committer = await open();
    await expect(committer.commit(request(parent, edit(path, text)))).rejects.toMatchObject({
      code: "USAGE",
    });
    expect(head()).toBe(parent);
  });

  it("is signed by an SSH key where one is given", async () => {
    const key = join(folder, "key with blank");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key]);
    const signers = join(folder, "signers");
    writeFileSync(signers, `${SLUICE.email} ${execFileSync("ssh-keygen", ["-y", "-f", key])}`);
    const parent = repository.commit({ a: "1" });
    const commit = await (await open({ signing: { format: "ssh", keyFile: key } })).commit(
      request(parent, edit("a", "2")),
    );
    repository.git("-c", `gpg.ssh.allowedSignersFile=${signers}`, "verify-commit", commit);
  });

  it("is not made unsigned where the key cannot be used", async () => {
    const parent = repository.commit({ a: "1" });
    const committer = await open({ signing: { format: "ssh", keyFile: join(folder, "no-key") } });
    await expect(committer.commit(request(parent, edit("a", "2")))).rejects.toMatchObject({
      code: "GIT_FAILED",
    });
    expect(head()).toBe(parent);
  });
});

describe("the repository's hooks", () => {
  it("judge the commit like a push, and their words are the reason", async () => {
    const parent = repository.commit({ a: "1" });
    hook("pre-receive", "echo 'a:1: no such thing'; exit 1");
    await expect((await open()).commit(request(parent, edit("a", "2")))).rejects.toMatchObject({
      code: "GIT_REFUSED",
      message: "the repository refused the commit: a:1: no such thing",
    });
    expect(head()).toBe(parent);
  });

  it("see the commit, and are told that nobody reads what they say", async () => {
    const parent = repository.commit({ a: "1" });
    const seen = join(folder, "seen");
    hook("post-receive", `cat > '${seen}'; echo "$SLUICE_FOLLOW" >> '${seen}'`);
    const commit = await (await open()).commit(request(parent, edit("a", "2")));
    expect(execFileSync("cat", [seen]).toString()).toBe(`${parent} ${commit} refs/heads/main\nno\n`);
  });

  it("that take too long after the branch has moved do not make the commit fail", async () => {
    const parent = repository.commit({ a: "1" });
    hook("post-receive", "exec sleep 60");
    const commit = await (await open({ timeoutMs: 1500 })).commit(request(parent, edit("a", "2")));
    expect(head()).toBe(commit);
  });
});

describe.each(["a local repository", "a repository behind HTTP"])("%s", (kind) => {
  async function there(options: Partial<GitCommitterOptions> = {}) {
    if (kind === "a local repository") return open(options);
    server ??= await gitServer(repository.path);
    return open({ repository: server.url, ...options });
  }

  it("takes one commit after the other", async () => {
    let parent = repository.commit({ a: "1", b: "1" });
    const committer = await there();
    for (const text of ["2", "3", "4"]) parent = await committer.commit(request(parent, edit("a", text)));
    expect(head()).toBe(parent);
    expect(repository.git("rev-list", "--count", "main")).toBe("4");
  });

  it("refuses a commit made from what the branch no longer is, and keeps the other's", async () => {
    const parent = repository.commit({ a: "1" });
    const other = repository.commit({ a: "1", b: "1" });
    const committer = await there();
    await expect(committer.commit(request(parent, edit("a", "2")))).rejects.toMatchObject({
      code: "GIT_CONFLICT",
    });
    expect(head()).toBe(other);
  });

  it("does not bring back a commit that somebody took off the branch", async () => {
    const kept = repository.commit({ a: "1" });
    const taken = repository.commit({ a: "2" });
    const committer = await there();
    // Between the look and the write, which the hook makes certain.
    hook(
      "pre-receive",
      `env -u GIT_QUARANTINE_PATH git --git-dir='${repository.path}' update-ref refs/heads/main ${kept}`,
    );
    await expect(committer.commit(request(taken, edit("b", "1")))).rejects.toMatchObject({
      code: "GIT_CONFLICT",
    });
    expect(head()).toBe(kept);
  });

  it("takes exactly one of several commits made from the same parent at once", async () => {
    const parent = repository.commit({ a: "1" });
    const racers = await Promise.all([1, 2, 3, 4].map(() => there()));
    const ends = await Promise.allSettled(
      racers.map((one, at) => one.commit(request(parent, edit("a", `by ${at}`)))),
    );
    const won = ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
    const lost = ends.flatMap((end) => (end.status === "rejected" ? [end.reason.code] : []));
    expect(won).toEqual([head()]);
    expect(lost).toEqual(["GIT_CONFLICT", "GIT_CONFLICT", "GIT_CONFLICT"]);
    expect(repository.git("rev-list", "--count", "main")).toBe("2");
  });
});

describe("a server that wants a token", () => {
  it("gets it from its file, and no message holds it", async () => {
    server = await gitServer(repository.path);
    server.authorization = "Bearer s3cret-t0ken";
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, "s3cret-t0ken\n");
    const parent = repository.commit({ a: "1" });
    const access = { auth: { tokenFile, scheme: "bearer" as const } };
    const committer = await open({ repository: server.url, access });
    const commit = await committer.commit(request(parent, edit("a", "2")));
    expect(head()).toBe(commit);
    server.instead = (req, res) => {
      if (req.url?.includes("receive-pack") !== true) return false;
      res.writeHead(403).end();
      return true;
    };
    const failed = await committer.commit(request(commit, edit("a", "3"))).catch((error) => error);
    expect(failed).toMatchObject({ code: "GIT_DENIED" });
    expect(String(failed.message)).not.toContain("s3cret");
    expect(head()).toBe(commit);
  });
});

it("says what is missing where there is no git program", async () => {
  await expect(open({ git: join(folder, "no-git") })).rejects.toMatchObject({ code: "GIT_MISSING" });
});
