import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CommitId, encodePath, type Source, systemClock } from "@sluice/core";
import { gitCommitter, gitSource, type SshAccess } from "@sluice/git";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type BareRepo, bareRepo } from "../harness/bare-repo.ts";
import { describeWithServer } from "../servers/available.ts";
import { hasSshd, type TestSshd, testSshd } from "../servers/sshd.ts";

describeWithServer("a repository behind a real sshd", { sshd: hasSshd() }, () => {
  let sshd: TestSshd;
  let repository: BareRepo;
  let folder: string;
  let sources: Source[];

  beforeAll(async () => {
    sshd = await testSshd();
  });
  afterAll(() => sshd?.stop());
  beforeEach(() => {
    repository = bareRepo();
    folder = mkdtempSync(join(tmpdir(), "sluice-ssh-"));
    sources = [];
  });
  afterEach(async () => {
    for (const source of sources) await source.close();
    repository.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(ssh: SshAccess): Promise<Source> {
    const where = {
      repository: sshd.urlOf(repository.folder),
      branch: "main",
      cacheDir: join(folder, "clones"),
    };
    const source = await gitSource({ ...where, clock: systemClock, random: Math.random, access: { ssh } });
    sources.push(source);
    return source;
  }
  async function failure(ssh: SshAccess): Promise<{ code: string; message: string }> {
    const error = await (await open(ssh)).head().catch((thrown: unknown) => thrown);
    if (!(error instanceof Error)) throw new Error("it did not fail");
    return error as unknown as { code: string; message: string };
  }

  it("is read with a key and the server's known key, whose files have awkward names", async () => {
    const source = await open({ keyFile: sshd.key, knownHostsFile: sshd.knownHosts });
    expect(await source.head()).toBeUndefined();
    const first = repository.commit({ a: "1" });
    expect(await source.head()).toBe(first);
    expect((await source.tree(first as CommitId)).map((file) => file.path)).toEqual(["a"]);
    const second = repository.commit({ b: "1" });
    expect(await source.head()).toBe(second);
  });

  it("is committed to with the same key", async () => {
    const first = repository.commit({ a: "1" }) as CommitId;
    const committer = await gitCommitter({
      repository: sshd.urlOf(repository.folder),
      branch: "main",
      cacheDir: join(folder, "clones"),
      committer: { name: "Sluice", email: "sluice@example.test" },
      clock: systemClock,
      random: Math.random,
      access: { ssh: { keyFile: sshd.key, knownHostsFile: sshd.knownHosts } },
    });
    try {
      const edits = [{ path: encodePath("a"), content: Buffer.from("2") }];
      const made = await committer.commit({ parent: first, edits, message: "a: 1 → 2" });
      const source = await open({ keyFile: sshd.key, knownHostsFile: sshd.knownHosts });
      expect(await source.head()).toBe(made);
      await expect(committer.commit({ parent: first, edits, message: "again" })).rejects.toMatchObject({
        code: "GIT_CONFLICT",
      });
    } finally {
      await committer.close();
    }
  });

  it("refuses a key it does not know", async () => {
    const { code, message } = await failure({ keyFile: sshd.strangersKey, knownHostsFile: sshd.knownHosts });
    expect(code).toBe("GIT_DENIED");
    expect(message).toMatch(
      /^the server refused the credentials \(git ls-remote failed: .*Permission denied/,
    );
  });

  it("is not talked to while its own key is another than the known one, or unknown", async () => {
    for (const knownHostsFile of [sshd.wrongHosts, "/dev/null"]) {
      const { code, message } = await failure({ keyFile: sshd.key, knownHostsFile });
      expect(code).toBe("GIT_FAILED");
      expect(message).toContain("the SSH key of the host is not among the known ones");
    }
  });

  it("is not reached with a key that others can read", async () => {
    const keyFile = join(folder, "open-key");
    copyFileSync(sshd.key, keyFile);
    chmodSync(keyFile, 0o644);
    expect((await failure({ keyFile, knownHostsFile: sshd.knownHosts })).code).toBe("GIT_DENIED");
  });
});
