import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { policyRules, type Rule, tokenFor } from "../harness/acl.ts";
import { bareRepo } from "../harness/bare-repo.ts";
import { denyingConsul } from "../harness/denying-consul.ts";
import { eventually } from "../harness/eventually.ts";
import { startRoles } from "../harness/role.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";

const MASTER = randomUUID();
const PATIENCE = 120_000;

/** Every case is an environment of its own; the notifier is a process of its own, with a prefix that only it writes beside. */
describeWithServer(
  "the notifier's policy on a Consul that denies by default",
  { consul: hasConsul() },
  () => {
    const place = denyingConsul(MASTER, { marathon: true, patienceMs: PATIENCE });

    /** A channel's other end: it counts what it is told of each environment. */
    async function listener() {
      const told: string[] = [];
      const server = createServer((request, response) => {
        let body = "";
        request.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        request.on("end", () => {
          told.push((JSON.parse(body) as { type: string }).type);
          response.writeHead(204).end();
        });
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      place.toEnd.push(() => {
        server.closeAllConnections();
        server.close();
      });
      return { told, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
    }

    /** An environment whose every deployment is told and noted by a notifier with these rules. */
    async function notifies(name: string, rules: readonly Rule[]) {
      const repository = bareRepo();
      place.toEnd.push(() => repository.remove());
      const { told, url } = await listener();
      const start = async (token: string, ...roles: string[]) => {
        const tokenFile = join(place.folder, `${name}-${roles.join("-")}`);
        writeFileSync(tokenFile, `${token}\n`);
        const target = { type: "marathon", addresses: [place.marathon] };
        const process = await startRoles({
          roles,
          config: {
            prefix: name,
            consul: { address: place.address, tokenFile },
            lock: { ttl: "10s", delay: "1s" },
            notify: { channels: { program: { type: "webhook", url } }, gather: "100ms" },
            environments: {
              [name]: {
                source: { repository: repository.folder, interval: "1s" },
                targets: { apps: target },
              },
            },
          },
        });
        place.toEnd.push(() => process.remove());
        return process;
      };
      const commit = (version: string) => {
        const app = { id: `/${name}`, cmd: "exec sleep 600", env: { VERSION: version } };
        return repository.commit({ "apps/job.json": JSON.stringify(app) });
      };
      commit("1");
      const token = await tokenFor(place.address, MASTER, name, underPrefix(rules, name));
      const notifier = await start(token, "notifier");
      const deployer = await start(MASTER, "mirror", "deployer");
      await deployer.printed(/1 of 1 job healthy/);
      const second = commit("2");
      await deployer.printed(/1 of 1 job healthy/, { times: 2 });
      const note = () =>
        execFileSync(
          "git",
          ["-C", repository.folder, "log", "--format=%N", "--notes=deployments", "-1", second],
          { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
        );
      return { notifier, told, note };
    }

    it("the notifier works with exactly its policy", { timeout: PATIENCE }, async () => {
      const { notifier, told, note } = await notifies("told", policyRules("notifier", "told"));
      await eventually("a message", async () => told.find((type) => /deployment/.test(type)));
      await eventually("a note", async () => (/told: healthy/.test(note()) ? true : undefined));
      expect(notifier.output()).not.toMatch(/the token needs|✗/);
    });

    describe.concurrent("a rule is needed where the notifier says so when it is missing", () => {
      it.each(policyRules("notifier", "any").map(({ subject }, at) => [subject, at] as const))(
        "%s",
        { timeout: PATIENCE },
        async (_, at) => {
          const name = `notifier-${at}`;
          const rules = policyRules("notifier", name);
          const [missing] = underPrefix(rules.slice(at), name);
          const { notifier } = await notifies(
            name,
            rules.filter((_rule, number) => number !== at),
          );
          const quoted = (missing?.name ?? "").replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
          const kind = missing?.name === "" ? "session_prefix" : "key(_prefix)?";
          await notifier.printed(new RegExp(`the token needs: ${kind} "${quoted}[^"]*" \\{`));
          await notifier.remove();
        },
      );
    });
  },
);

/** The rules for another prefix than `sluice`. */
function underPrefix(rules: readonly Rule[], prefix: string): readonly Rule[] {
  const moved = (text: string) => text.replace(/^sluice\//, `${prefix}/`).replace('"sluice/', `"${prefix}/`);
  return rules.map(({ subject, name, text }) => ({
    subject: moved(subject),
    name: moved(name),
    text: moved(text),
  }));
}
