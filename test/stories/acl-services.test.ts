import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, it } from "vitest";
import { type ChangeableToken, changeableToken, policyRules, type Rule } from "../harness/acl.ts";
import { denyingConsul } from "../harness/denying-consul.ts";
import { eventually } from "../harness/eventually.ts";
import { fakeDocker } from "../harness/fake-docker.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";

const MASTER = randomUUID();
const PATIENCE = 90_000;

/** Every case has a Consul prefix, names and a token of its own. */
describeWithServer(
  "the policies of services for the whole engine, on a Consul that denies by default",
  { consul: hasConsul() },
  () => {
    const place = denyingConsul(MASTER);

    async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
      const headers = { "x-consul-token": MASTER };
      const answer = await fetch(`${place.address}/v1/${path}`, { headers, ...init });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
      return (text === "" ? undefined : JSON.parse(text)) as T;
    }
    const put = (path: string, body: object) => ask(path, { method: "PUT", body: JSON.stringify(body) });
    async function start(name: string, token: string, role: string, settings: object): Promise<RoleProcess> {
      const tokenFile = join(place.folder, `${name}.token`);
      writeFileSync(tokenFile, `${token}\n`);
      const process = await startRoles({
        roles: [role],
        config: {
          consul: { address: place.address, tokenFile },
          lock: { ttl: "10s", delay: "1s" },
          ...settings,
        },
      });
      place.toEnd.push(() => process.remove());
      return process;
    }
    const tokenOf = (name: string, rules: readonly Rule[]): Promise<ChangeableToken> =>
      changeableToken(place.address, MASTER, name, rules);
    const without = (policy: string, at: number) => policyRules(policy, "any").filter((_, n) => n !== at);
    const cases = (policy: string) =>
      policyRules(policy, "any").map(({ subject }, at) => [subject, at] as const);

    /** A registrar of a machine with containers; they are services of the same names. */
    async function registers(name: string, rules: readonly Rule[], containers: readonly string[]) {
      const docker = await fakeDocker();
      place.toEnd.push(() => docker.stop());
      docker.run(...containers);
      const token = await tokenOf(name, rules);
      const registrar = { docker: docker.address, node: name, address: "10.0.0.5", interval: "200ms" };
      const process = await start(name, token.secret, "registrar", { registrar });
      const services = async () =>
        Object.keys(await ask<object>("agent/services"))
          .filter((id) => id.startsWith(`${name}:`))
          .sort();
      const has = (...wanted: readonly string[]) =>
        eventually(`exactly ${wanted.join()}`, async () =>
          (await services()).join() === wanted.map((one) => `${name}:${one}:80`).join() ? true : undefined,
        );
      return { docker, process, token, services, has };
    }

    it("a registrar works with exactly its policy", { timeout: PATIENCE }, async () => {
      const { docker, process, has } = await registers("all", policyRules("registrar", "any"), ["a1", "a2"]);
      await has("a1", "a2");
      docker.run("a1");
      await has("a1");
      expect(process.output()).not.toMatch(/the token needs|✗/);
    });

    it("a registrar without its rule names it, and registers nothing", { timeout: PATIENCE }, async () => {
      const { process, services } = await registers("none", [], ["n1"]);
      await process.printed(/the token needs: service "n1" \{ policy = "write" \}/);
      expect(await services()).toEqual([]);
    });

    it("a registrar that loses its rule names it, deregisters nothing, and goes on once it has it again", {
      timeout: PATIENCE,
    }, async () => {
      const one = await registers("loses", policyRules("registrar", "any"), ["l1", "l2"]);
      await one.has("l1", "l2");
      await one.token.change([]);
      one.docker.run("l1");
      await one.process.printed(/the token needs: service "l[12]" \{ policy = "(read|write)" \}/);
      expect(await one.services()).toEqual(["loses:l1:80", "loses:l2:80"]);
      await one.token.change(policyRules("registrar", "any"));
      await one.has("l1");
      await one.process.printed(/the registrar goes on/);
    });

    /** A router beside a balancer that takes every file, with nothing that would hold servers for it. */
    async function routes(name: string, rules: readonly Rule[]) {
      const file = join(place.folder, `${name}.cfg`);
      const register = (number: number) =>
        put("agent/service/register", {
          ID: `${name}-${number}`,
          Name: name,
          Address: `10.0.0.${number}`,
          Port: 80,
          Tags: [name],
          Meta: { lb_host: `${name}.example.org` },
        });
      await register(1);
      const token = await tokenOf(name, rules);
      const process = await start(name, token.secret, "router", {
        router: {
          configFile: file,
          balancer: { type: "commands", check: ["true"], reload: ["true"] },
          tag: name,
          settings: { http_port: 8080, runtime: join(place.folder, "runtime.sock") },
          hold: "1ms",
          holdEmpty: "1ms",
          drain: "1ms",
          reloadInterval: "1ms",
        },
      });
      const servers = () => {
        try {
          return [...readFileSync(file, "utf8").matchAll(/10\.0\.0\.(\d+)/g)].map(([, number]) => number);
        } catch {
          return undefined;
        }
      };
      const leads = (...wanted: readonly string[]) =>
        eventually(`traffic for ${wanted.join()}`, async () =>
          servers()?.join() === wanted.join() ? true : undefined,
        ).catch((cause) => {
          throw new Error(process.output(), { cause });
        });
      return { process, token, register, servers, leads };
    }

    it("a router works with exactly its policy", { timeout: PATIENCE }, async () => {
      const { process, register, leads } = await routes("routed", policyRules("router", "any"));
      await leads("1");
      await register(2);
      await leads("1", "2");
      await ask("agent/service/deregister/routed-1", { method: "PUT" });
      await ask("agent/service/deregister/routed-2", { method: "PUT" });
      await leads();
      expect(process.output()).not.toMatch(/the token needs|✗/);
    });

    it.each(cases("router"))(
      "a router without %s names it, and writes no file",
      { timeout: PATIENCE },
      async (subject, at) => {
        const { process, servers } = await routes(`lacks-${at}`, without("router", at));
        await process.printed(/the token needs/);
        expect(process.output()).toContain(`the token needs: ${subject} {`);
        expect(servers()).toBeUndefined();
      },
    );

    it.each(
      [
        ["all of its rules", [] as readonly Rule[], /the token needs: service/],
        ["the rule for services", without("router", 0), /the token needs: service/],
        ["the rule for nodes", without("router", 1), /the token needs: node_prefix "" \{ policy = "read" \}/],
        [
          "the rule for one service, but not for others",
          [
            { subject: "", name: "", text: `service "consul" { policy = "read" }` },
            { subject: "", name: "", text: `node_prefix "" { policy = "read" }` },
          ],
          /the token needs: service "loses-3" \{ policy = "read" \}/,
        ],
      ].map(
        ([what, rules, named], at) => [what, rules, named, at] as [string, readonly Rule[], RegExp, number],
      ),
    )(
      "a router that loses %s names it, takes no server away, and goes on once it has it again",
      { timeout: PATIENCE },
      async (_, rules, named, at) => {
        const { process, token, register, servers, leads } = await routes(
          `loses-${at}`,
          policyRules("router", "any"),
        );
        await leads("1");
        await token.change(rules);
        // A change of the catalog ends the query that was held open under the rules before.
        await register(2);
        await process.printed(named);
        expect(servers()).toEqual(["1"]);
        await token.change(policyRules("router", "any"));
        await leads("1", "2");
        await process.printed(/the router goes on/);
        expect(process.output()).not.toMatch(/ 0 servers/);
      },
    );

    /** A build trigger whose CI takes every build; a build is asked for once it leads. */
    async function builds(name: string, rules: readonly Rule[]) {
      const taken: string[] = [];
      const ci = createServer((request, response) => {
        taken.push(String(request.headers["idempotency-key"]));
        response.end();
      });
      await new Promise<void>((resolve) => ci.listen(0, "127.0.0.1", resolve));
      place.toEnd.push(() => ci.close());
      const secretFile = join(place.folder, `${name}.secret`);
      writeFileSync(secretFile, "ci\n");
      const url = `http://127.0.0.1:${(ci.address() as AddressInfo).port}/`;
      const settings = { prefix: name, builds: { shop: { ci: { type: "http", url, secretFile } } } };
      const [trigger, requester] = await Promise.all([
        tokenOf(`${name}-trigger`, rules),
        tokenOf(`${name}-requester`, underPrefix(policyRules("build-requester", "any"), name)),
      ]);
      const http = await start(`${name}-http`, requester.secret, "http", { ...settings, http: { port: 0 } });
      const process = await start(name, trigger.secret, "build-trigger", settings);
      await http.printed(/hooks at http:\S+\s/);
      const [, address = ""] = /hooks at (http:\S+)/.exec(http.output()) ?? [];
      const answer = await fetch(`${address}/api/v1/builds/shop`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ branch: "main", commit: "a".repeat(40) }),
      });
      return { process, taken, status: answer.status, list: `${address}/api/v1/builds` };
    }

    it("builds are asked for and begun with exactly the policies for it", { timeout: PATIENCE }, async () => {
      const rules = underPrefix(policyRules("build-trigger", "any"), "builds");
      const { process, taken, status, list } = await builds("builds", rules);
      expect(status).toBe(200);
      await eventually("a build that was handed over", async () => {
        const answer = (await (await fetch(list)).json()) as { builds: { state: string }[] };
        return answer.builds[0]?.state === "handed-over" ? true : undefined;
      });
      expect(taken).toHaveLength(1);
      expect(process.output()).not.toMatch(/the token needs|✗/);
    });

    it.each(cases("build-trigger"))(
      "a build trigger without %s names it",
      { timeout: PATIENCE },
      async (_, at) => {
        const rules = underPrefix(without("build-trigger", at), `trigger-${at}`);
        const [missing] = underPrefix(policyRules("build-trigger", "any"), `trigger-${at}`).slice(at);
        const { process, taken } = await builds(`trigger-${at}`, rules);
        await process.printed(/the token needs/);
        expect(process.output()).toMatch(
          new RegExp(`the token needs: (key|key_prefix|session_prefix) "${missing?.name}`),
        );
        // The bell is something that it can do without.
        if (!missing?.name.endsWith("/requested")) expect(taken).toEqual([]);
      },
    );
  },
);

/** The rules of a policy for another prefix than `sluice`. */
function underPrefix(rules: readonly Rule[], prefix: string): readonly Rule[] {
  const moved = (text: string) => text.replace(/^sluice\//, `${prefix}/`).replace('"sluice/', `"${prefix}/`);
  return rules.map(({ subject, name, text }) => ({
    subject: moved(subject),
    name: moved(name),
    text: moved(text),
  }));
}
