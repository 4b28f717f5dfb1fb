import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { configFile } from "./config-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-file-"));
});
afterEach(() => rm(folder, { recursive: true }));

const text = (name: string) => readFile(join(folder, name), "utf8");

describe("the balancer's file", () => {
  it("is replaced whole and keeps who may read it", async () => {
    await writeFile(join(folder, "lb.cfg"), "old", { mode: 0o640 });
    const file = configFile(join(folder, "lb.cfg"));
    expect(await file.stage("new")).toBe(join(folder, "lb.cfg.next"));
    expect(((await stat(join(folder, "lb.cfg.next"))).mode & 0o777).toString(8)).toBe("640");
    await file.replace();
    expect([await file.read(), await text("lb.cfg.previous")]).toEqual(["new", "old"]);
    expect((await readdir(folder)).sort()).toEqual(["lb.cfg", "lb.cfg.previous"]);
  });

  it("goes back to the one before, and keeps what was no good", async () => {
    await writeFile(join(folder, "lb.cfg"), "old");
    const file = configFile(join(folder, "lb.cfg"));
    await file.stage("bad");
    await file.replace();
    await file.restore();
    expect([await file.read(), await text("lb.cfg.refused")]).toEqual(["old", "bad"]);
  });

  it("is away again where there was none before, whatever was kept of earlier ones", async () => {
    const file = configFile(join(folder, "lb.cfg"));
    await writeFile(join(folder, "lb.cfg.previous"), "ancient");
    await file.stage("bad");
    await file.replace();
    await file.restore();
    expect([await file.read(), await text("lb.cfg.refused")]).toEqual([undefined, "bad"]);
  });

  it("is what a link leads to; the link stays", async () => {
    await writeFile(join(folder, "real.cfg"), "old");
    await symlink("real.cfg", join(folder, "lb.cfg"));
    const file = configFile(join(folder, "lb.cfg"));
    await file.stage("new");
    await file.replace();
    expect([(await lstat(join(folder, "lb.cfg"))).isSymbolicLink(), await text("real.cfg")]).toEqual([
      true,
      "new",
    ]);
  });
});
