import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { denyAll, policyRules, type Rule, tokenFor } from "../harness/acl.ts";
import { bareRepo } from "../harness/bare-repo.ts";
import { eventually } from "../harness/eventually.ts";
import { startRoles } from "../harness/role.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { type RealConsul, startRealConsul } from "../servers/consul.ts";

const MASTER = randomUUID();

describeWithServer("a notifier on a Consul that denies by default", { consul: hasConsul() }, () => {
  let consul: RealConsul;
  let folder: string;
  let server: Server;
  const types: string[] = [];
  const toEnd: (() => unknown)[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "sluice-notifier-acl-"));
    const config = denyAll(MASTER, { enable_key_list_policy: true });
    consul = (await startRealConsul({ token: MASTER, config })) as RealConsul;
    server = createServer((req, res) => {
      let body = "";
      req.setEncoding("utf8").on("data", (text: string) => (body += text));
      req.on("end", () => {
        types.push((JSON.parse(body) as { type: string }).type);
        res.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    await Promise.all(toEnd.map((end) => end()));
    await consul?.stop();
    server?.closeAllConnections();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(name: string, rules: readonly Rule[]) {
    const repository = bareRepo();
    toEnd.push(() => repository.remove());
    repository.commit({ "apps/web.yaml": "id: /web\n" });
    const token = join(folder, name);
    writeFileSync(token, `${await tokenFor(consul.address, MASTER, name, rules)}\n`);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const process = await startRoles({
      roles: ["notifier"],
      config: {
        consul: { address: consul.address, tokenFile: token },
        lock: { ttl: "10s", delay: "1s" },
        notify: { channels: { program: { type: "webhook", url, perMinute: 600 } } },
        environments: { [name]: { source: { repository: repository.folder } } },
      },
    });
    toEnd.push(() => process.remove());
    return {
      process,
      git: (...args: string[]) =>
        execFileSync("git", ["-C", repository.folder, ...args], { stdio: "pipe" }).toString(),
    };
  }
  async function put(key: string, value: object) {
    const headers = { "x-consul-token": MASTER };
    const body = JSON.stringify(value);
    await fetch(`${consul.address}/v1/kv/sluice/${key}`, { method: "PUT", headers, body });
  }

  it("does all of its work with the policy of its page, and asks for no more", async () => {
    const { process, git } = await start("able", policyRules("notifier", "able"));
    await process.printed(/leads as notifier/);
    await process.printed(/leads as recorder/);
    await eventually("what it remembers", async () => {
      const headers = { "x-consul-token": MASTER };
      const answer = await fetch(`${consul.address}/v1/kv/sluice/notices/memory/able`, { headers });
      return answer.ok || undefined;
    });
    const commit = git("rev-parse", "main").trim();
    const at = new Date().toISOString();
    const status = {
      ...{ attempted: `main@sha1:${commit}`, state: "degraded", reason: "HealthTimeout", message: "m" },
      counts: { jobs: 1, healthy: 0, progressing: 0, failed: 1, created: 1, updated: 0, pruned: 0 },
      ...{ startedAt: at, finishedAt: at },
    };
    const event = {
      type: "deployment.finished",
      revision: status.attempted,
      status,
      ms: 1,
      environment: "able",
      at,
    };
    await put("able/deployment", status);
    await put("able/events/deployer", [{ seq: 1, event }]);
    await eventually(
      "the message",
      async () => types.includes("io.sluice.deployment.degraded") || undefined,
      30_000,
    );
    await eventually(
      "the note",
      async () => /able: degraded/.test(git("log", "-1", "--notes=deployments")) || undefined,
      30_000,
    );
    expect(types).toEqual(["io.sluice.deployment.degraded"]);
    expect(process.output()).not.toMatch(/the token needs|Permission denied/);
    // The next one leads in its place.
    await process.stop();
  }, 90_000);

  it("says which rule is missing", async () => {
    const rules = policyRules("notifier", "unable").filter(({ name: about }) => !about.includes("notices"));
    const { process } = await start("unable", rules);
    await process.printed(/messages cannot be made: .*the token needs: key/);
  }, 90_000);
});
