import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedConsul } from "@sluice/embedded";
import { gitHttpBackend } from "@sluice/git";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BareRepo, bareRepo } from "../harness/bare-repo.ts";
import { eventually } from "../harness/eventually.ts";
import { readMirrored } from "../harness/mirrored.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";

const SECRET = "a secret of both sides";

describe("a push to a Git host elsewhere", () => {
  let folder: string;
  let consul: Awaited<ReturnType<typeof embeddedConsul>>;
  let repo: BareRepo;
  let host: Server;
  let url: string;
  /** How often the host was asked for its branches. */
  let asked = 0;
  let mirror: RoleProcess;
  let http: RoleProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sluice-webhook-story-"));
    writeFileSync(join(folder, "secret"), `${SECRET}\n`);
    consul = await embeddedConsul({ dataDir: join(folder, "consul") });
    repo = bareRepo();
    const serve = gitHttpBackend({ repositories: { deploy: repo.folder } });
    host = createServer((request, response) => {
      if (request.url?.includes("/info/refs")) asked += 1;
      void serve(request, response);
    });
    await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(host.address() as AddressInfo).port}/deploy.git`;
    const config = {
      http: { port: 0 },
      consul: { address: consul.address },
      webhooks: { github: { secretFile: join(folder, "secret") } },
      // So long that only a webhook can be what wakes the mirror.
      environments: { production: { source: { repository: url, interval: "24h" } } },
    };
    repo.commit({ "apps/web.yaml": "0" });
    [mirror, http] = await Promise.all([
      startRoles({ roles: ["mirror"], config }),
      startRoles({ roles: ["http"], config }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([mirror?.remove(), http?.remove()]);
    await consul?.stop();
    host?.closeAllConnections();
    await new Promise((resolve) => (host ? host.close(resolve) : resolve(undefined)));
    repo?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const mirrored = (text: string) =>
    eventually(`the mirror shows ${text}`, async () => {
      const now = await readMirrored(consul.address, "production");
      return now?.synced && now.files["apps/web.yaml"] === text ? now : undefined;
    });

  async function deliver(id: string, secret = SECRET): Promise<{ status: number; body: unknown }> {
    const body = JSON.stringify({
      ref: "refs/heads/main",
      after: "1".repeat(40),
      repository: { clone_url: url },
    });
    const [, address] = /hooks at (http:\S+)/.exec(http.output()) ?? [];
    const answer = await fetch(`${address}/hooks/github`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": id,
        "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
      },
      body,
      signal: AbortSignal.timeout(10_000),
    });
    return { status: answer.status, body: await answer.json() };
  }

  it("is mirrored by one process when another is told of it", async () => {
    await mirrored("0");
    const commit = repo.commit({ "apps/web.yaml": "1" });
    expect(await deliver("first")).toEqual({
      status: 202,
      body: {
        outcome: "accepted",
        message: "production: the branch is looked at now",
        environments: ["production"],
      },
    });
    expect((await mirrored("1")).commit).toBe(commit);
  });

  it("costs a handful of fetches where 500 webhooks tell of 25 pushes, and the last push is mirrored", async () => {
    const before = asked;
    for (let push = 1; push <= 25; push++) {
      repo.commit({ "apps/web.yaml": `burst ${push}` });
      const ids = Array.from({ length: 20 }, (_, at) => `burst-${push}-${at}`);
      const answers = await Promise.all(ids.map((id) => deliver(id)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    }
    await mirrored("burst 25");
    expect(asked - before).toBeGreaterThan(0);
    expect(asked - before).toBeLessThan(20);
  });

  it("is not believed without the secret, and the log says so", async () => {
    expect((await deliver("forged", "another secret")).status).toBe(403);
    await http.printed(/✗ a webhook for \/hooks\/github refused: its signature does not fit/);
  });
});
