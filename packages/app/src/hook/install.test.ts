import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installHooks } from "./install.ts";

describe("installing hooks", () => {
  let repository: string;
  beforeEach(async () => {
    repository = join(await mkdtemp(join(tmpdir(), "sluice-hooks-")), "it's a repo.git");
    await mkdir(join(repository, "hooks"), { recursive: true });
    await writeFile(join(repository, "HEAD"), "ref: refs/heads/main\n");
  });
  afterEach(() => rm(join(repository, ".."), { recursive: true, force: true }));

  it("writes two executable scripts that quote every word", async () => {
    const written = await installHooks(repository, {
      server: "http://127.0.0.1:7420",
      offline: "accept",
      tokenFile: "/etc/it's",
    });
    expect(written).toEqual([join(repository, "hooks/pre-receive"), join(repository, "hooks/post-receive")]);
    const text = await readFile(written[0] as string, "utf8");
    expect(text).toContain(
      " 'pre-receive' 'http://127.0.0.1:7420' '--offline=accept' '--token-file=/etc/it'\\''s'",
    );
    expect(((await stat(written[0] as string)).mode & 0o111) !== 0).toBe(true);
  });

  it("changes its own hooks when it is run again", async () => {
    await installHooks(repository, { server: "http://127.0.0.1:1", offline: "accept" });
    const [file] = await installHooks(repository, { server: "http://127.0.0.1:2", offline: "refuse" });
    const text = await readFile(file as string, "utf8");
    expect(text).toContain("'http://127.0.0.1:2' '--offline=refuse'");
    expect(text).not.toContain("127.0.0.1:1");
  });

  it("never overwrites a hook that somebody else put there, and then writes none", async () => {
    const foreign = join(repository, "hooks/post-receive");
    await writeFile(foreign, "#!/bin/sh\necho mine\n");
    await expect(
      installHooks(repository, { server: "http://127.0.0.1:1", offline: "accept" }),
    ).rejects.toThrow(/is not Sluice's/);
    expect(await readFile(foreign, "utf8")).toBe("#!/bin/sh\necho mine\n");
    await expect(stat(join(repository, "hooks/pre-receive"))).rejects.toThrow();
  });

  it("says that a folder is no repository", async () => {
    await expect(installHooks(tmpdir(), { server: "http://127.0.0.1:1", offline: "accept" })).rejects.toThrow(
      /is no Git repository/,
    );
  });
});
