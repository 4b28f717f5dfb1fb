import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sluice } from "../harness/engine.ts";

describe("the demo", () => {
  it("deploys the example with a real push, sees the shop answer, and ends with revision and counts", async () => {
    const { code, output } = await sluice(["demo", "--once", "--port", "0"]);
    const lines = output.trimEnd().split("\n");
    expect(output).toMatch(/the shop answers at http:\/\/\S+: Welcome to the shop: 3 products/);
    expect(output).toMatch(/the nightly report ran/);
    expect(lines.at(-1)).toMatch(/^✔ main@sha1:[0-9a-f]{40}: 3 of 3 jobs healthy$/);
    expect(code).toBe(0);
  });

  it("says in one sentence that a port is taken, and exits with 2", async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as { port: number };
    const { code, output } = await sluice(["demo", "--once", "--port", String(port - 1)]);
    await new Promise((resolve) => holder.close(resolve));
    expect(code).toBe(2);
    expect(output).toBe(
      `✗ port ${port} for the embedded consul is taken [PORT_TAKEN]\n  Stop what listens there, or set embedded.consulPort.\n`,
    );
  });

  it("says in one sentence that git is missing, and exits with 2", async () => {
    const empty = await mkdtemp(join(tmpdir(), "sluice-nothing-"));
    const { code, output } = await sluice(["demo", "--once", "--port", "0"], { env: { PATH: empty } });
    await rm(empty, { recursive: true });
    expect(code).toBe(2);
    expect(output).toMatch(
      /^✗ the demo pushes with git, and no git program was found \[GIT_MISSING\]\n {2}\S/,
    );
  });

  it("says in one sentence that the data folder cannot be written, and exits with 2", async () => {
    const { code, output } = await sluice([
      "demo",
      "--once",
      "--port",
      "0",
      "--data",
      join("/dev/null", "data"),
    ]);
    expect(code).toBe(2);
    expect(output).toMatch(
      /^✗ the data folder \/dev\/null\/data\S* cannot be written: .* \[DATA_DIR_UNUSABLE\]\n {2}\S.*\n$/,
    );
  });

  it("refuses a port that is no number", async () => {
    expect((await sluice(["demo", "--port", "many"])).code).toBe(2);
  });
});
