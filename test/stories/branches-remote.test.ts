import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gitHttpBackend } from "@sluice/git";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BareRepo, bareRepo } from "../harness/bare-repo.ts";
import { sluice } from "../harness/engine.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { everything, readMirrored } from "../harness/mirrored.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";

interface App {
  readonly id: string;
  readonly env: { readonly VERSION: string };
  readonly tasksRunning: number;
}

/** A repository elsewhere, over smart HTTP, whose branches are listed; and a deployer for each of them. */
describe("branches of a remote repository that are deployed", () => {
  let repository: BareRepo;
  let server: Server;
  let engine: RoleProcess;
  let consul: string;
  let marathon: string;
  let http: string;

  beforeEach(async () => {
    repository = bareRepo();
    repository.commit({ "README.md": "main" });
    const handler = gitHttpBackend({ repositories: { deploy: repository.folder } });
    server = createServer((req, res) => void handler(req, res));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const [consulPort, marathonPort, port] = await Promise.all([freePort(), freePort(), freePort()]);
    consul = `http://127.0.0.1:${consulPort}`;
    marathon = `http://127.0.0.1:${marathonPort}`;
    http = `http://127.0.0.1:${port}`;
    const source = {
      repository: `http://127.0.0.1:${(server.address() as AddressInfo).port}/deploy.git`,
      branches: ["feature/*", "release-*"],
      interval: "250ms",
      vanished: { grace: "500ms", listings: 2 },
    };
    const preview = { source, deploy: true, targets: { apps: { type: "marathon" } } };
    engine = await startRoles({
      roles: ["consul", "marathon", "mirror", "deployer", "http"],
      config: { http: { port }, embedded: { consulPort, marathonPort }, environments: { preview } },
    });
  });
  afterEach(async () => {
    await engine?.remove();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    repository.remove();
  });

  function push(branch: string, apps: Readonly<Record<string, string>>): string {
    const files = Object.entries(apps).map(([id, version]) => {
      const app = { id: `/${id}`, cmd: "exec sleep 600", env: { VERSION: version } };
      return [`apps/${id}.json`, JSON.stringify(app)] as const;
    });
    return repository.commit({ "README.md": branch, ...Object.fromEntries(files) }, branch);
  }
  function remove(branch: string) {
    execFileSync("git", ["-C", repository.folder, "update-ref", "-d", `refs/heads/${branch}`]);
  }
  /** Waits until exactly these apps run, each in this version. */
  function runs(expected: Readonly<Record<string, string>>) {
    return eventually(`${JSON.stringify(expected)} runs`, async () => {
      const answer = await fetch(`${marathon}/v2/apps`);
      const { apps } = (await answer.json()) as { apps: readonly App[] };
      const found = apps.map(({ id, env, tasksRunning }) => [id.slice(1), tasksRunning === 1 && env.VERSION]);
      const wanted = Object.entries(expected);
      return JSON.stringify(found.sort()) === JSON.stringify(wanted.sort()) ? true : undefined;
    });
  }
  async function keysOf(environment: string): Promise<readonly string[]> {
    return Object.keys(await everything(consul)).filter((key) => key.startsWith(`sluice/${environment}/`));
  }

  it("each branch deploys its own jobs, and is only removed where nothing of it runs", {
    timeout: 120_000,
  }, async () => {
    push("release-1", { one: "1" });
    await runs({ one: "1" });
    push("release-2", {});
    await engine.printed(/preview-release-2 ✔ mirrored/);
    push("release-3", { three: "1" });
    await runs({ one: "1", three: "1" });
    push("release-1", { one: "2", more: "1" });
    await runs({ one: "2", more: "1", three: "1" });
    push("release-1", { one: "2" });
    await runs({ one: "2", three: "1" });

    for (const branch of ["release-1", "release-2"]) remove(branch);
    await engine.printed(/preview-release-1 PruneRefused/);
    await eventually("what has no jobs is gone", async () =>
      (await keysOf("preview-release-2")).length === 0 ? true : undefined,
    );
    await runs({ one: "2", three: "1" });
    const kept = await readMirrored(consul, "preview-release-1");
    expect(Object.keys(kept?.files ?? {}).sort()).toEqual(["README.md", "apps/one.json"]);
    push("release-1", { one: "3" });
    await runs({ one: "3", three: "1" });

    push("release-1", {});
    await engine.printed(/preview-release-1 .*PrunePending/);
    await runs({ one: "3", three: "1" });
    const agree = ["prune", "confirm", "preview-release-1", "--yes", "--server", http];
    expect((await sluice(agree)).output).toMatch(/would remove:\n✗ apps\/one\n/);
    await runs({ three: "1" });
    remove("release-1");
    await eventually("the branch that was emptied is gone", async () =>
      (await keysOf("preview-release-1")).length === 0 ? true : undefined,
    );
    await runs({ three: "1" });
  });

  it("a job that another branch made is left to it", async () => {
    push("release-1", { shared: "1" });
    await runs({ shared: "1" });
    push("release-2", { shared: "2", own: "2" });
    await runs({ own: "2", shared: "1" });
    await engine.printed(/preview-release-2 .*NotOwned/);
    push("release-2", { own: "3" });
    await runs({ own: "3", shared: "1" });
  });

  it("a repository that does not answer removes nothing, and is followed again when it does", async () => {
    push("release-1", { one: "1" });
    await runs({ one: "1" });
    const { port } = server.address() as AddressInfo;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await engine.printed(/preview ✗ the branches cannot be looked at/);
    const keys = await keysOf("preview-release-1");
    push("release-1", { one: "2" });
    expect(await keysOf("preview-release-1")).toEqual(keys);
    await runs({ one: "1" });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    await runs({ one: "2" });
  });
});
