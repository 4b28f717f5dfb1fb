import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { policyRules, type Rule, tokenFor } from "../harness/acl.ts";
import { type BareRepo, bareRepo } from "../harness/bare-repo.ts";
import { denyingConsul } from "../harness/denying-consul.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";

const MASTER = randomUUID();

/** Every case is an environment of its own, with its own repository, token and process. */
describeWithServer(
  "the policies of docs/acl on a Consul that denies by default",
  { consul: hasConsul() },
  () => {
    const place = denyingConsul(MASTER, { marathon: true });

    interface Case {
      readonly environment: string;
      readonly repository: BareRepo;
      start(role: string, token: string): Promise<RoleProcess>;
    }
    function newCase(environment: string, branches: object = {}): Case {
      const repository = bareRepo();
      place.toEnd.push(() => repository.remove());
      return {
        environment,
        repository,
        async start(role, token) {
          const tokenFile = join(place.folder, `${environment}-${role}`);
          writeFileSync(tokenFile, `${token}\n`);
          const target = { type: "marathon", addresses: [place.marathon] };
          const source = { repository: repository.folder, interval: "1s", ...branches };
          const process = await startRoles({
            roles: [role],
            config: {
              http: { port: 0 },
              consul: { address: place.address, tokenFile },
              lock: { ttl: "10s", delay: "1s" },
              environments: { [environment]: { source, targets: { apps: target } } },
            },
          });
          place.toEnd.push(() => process.remove());
          return process;
        },
      };
    }
    function job(environment: string, version: string): Record<string, string> {
      const app = { id: `/${environment}`, cmd: "exec sleep 600", env: { VERSION: version } };
      return { "apps/job.json": JSON.stringify(app) };
    }
    const token = (name: string, rules: readonly Rule[]) => tokenFor(place.address, MASTER, name, rules);

    /** Does everything a mirror does; what it says of missing rules is in its output. */
    async function mirrors(name: string, rules: readonly Rule[]): Promise<RoleProcess> {
      const one = newCase(name);
      const mirror = await one.start("mirror", await token(name, rules));
      one.repository.commit(job(name, "1"));
      return mirror;
    }
    /** Mirrors the branches of a repository, and removes what was mirrored of one that is deleted. */
    async function mirrorsBranches(name: string, rules: readonly Rule[]): Promise<RoleProcess> {
      const vanished = { grace: "500ms", listings: 2 };
      const { repository, start } = newCase(name, { branches: ["release-*"], vanished });
      repository.commit(job(name, "1"), "release-1");
      repository.commit(job(name, "1"), "release-2");
      const mirror = await start("mirror", await token(name, rules));
      const gone = ["update-ref", "-d", "refs/heads/release-2"];
      await mirror.printed(/release-2 ✔ mirrored|the token needs/);
      execFileSync("git", ["-C", repository.folder, ...gone]);
      return mirror;
    }
    /** A deployer beside a mirror that may do all; a second revision, once the first is deployed, makes it read changes. */
    async function deploys(name: string, rules: readonly Rule[]): Promise<RoleProcess> {
      const one = newCase(name);
      one.repository.commit(job(name, "1"));
      await one.start("mirror", MASTER);
      const deployer = await one.start("deployer", await token(name, rules));
      await deployer.printed(/1 of 1 job healthy|the token needs/);
      one.repository.commit(job(name, "2"));
      return deployer;
    }
    /** Asks all that can be asked; the answers are one text. */
    async function answers(name: string, rules: readonly Rule[]): Promise<string> {
      const one = newCase(name);
      const commit = one.repository.commit(job(name, "1"));
      const mirror = await one.start("mirror", MASTER);
      await mirror.printed(/✔ mirrored/);
      const http = await one.start("http", await token(name, rules));
      await http.printed(/hooks at http:\S+\s/);
      const [, address = ""] = /hooks at (http:\S+)/.exec(http.output()) ?? [];
      const api = `${address}/api/v1/environments/${name}`;
      const ask = async (url: string, init: RequestInit = {}) =>
        (await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) })).text();
      const texts = [
        await ask(api),
        await ask(`${api}/sync`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: "{}",
        }),
        await ask(`${api}/diff`),
        await firstLine(`${api}/follow?revision=main@sha1:${commit}`),
      ];
      return texts.join("\n");
    }

    it("each service works with exactly its policy", { timeout: 120_000 }, async () => {
      const rules = (service: string, name: string) => policyRules(service, name);
      const [mirror, branches, deployer, told] = await Promise.all([
        mirrors("all-mirror", rules("mirror", "all-mirror")),
        mirrorsBranches("all-branches", rules("mirror-branches", "all-branches")),
        deploys("all-deployer", rules("deployer", "all-deployer")),
        answers("all-http", rules("http", "all-http")),
      ]);
      await mirror.printed(/✔ mirrored/);
      await branches.printed(/all-branches-release-1 ✔ mirrored release-1/);
      await branches.printed(/all-branches ✔ .*all-branches-release-2/, { times: 2 });
      await deployer.printed(/1 of 1 job healthy/, { times: 2 });
      expect(told).toMatch(/"revision":"main@sha1:/);
      expect([mirror.output(), branches.output(), deployer.output(), told].join("\n")).not.toMatch(
        /the token needs|✗/,
      );
    });

    const cases = (service: string) =>
      policyRules(service, "production").map((rule, number) => [rule.subject, number] as const);
    /** The policy without one rule, and how a sentence names what is then missing. */
    function without(service: string, name: string, number: number) {
      const rules = policyRules(service, name);
      const [missing] = rules.slice(number, number + 1) as [Rule];
      const quoted = missing.name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
      const named =
        missing.name === "" ? /session_prefix "" \{/ : new RegExp(`key(_prefix)? "${quoted}[^"]*" \\{`);
      return {
        rules: rules.filter((rule) => rule !== missing),
        named: new RegExp(`the token needs: ${named.source} policy = "(read|list|write)" \\}`),
      };
    }

    describe.concurrent("a rule is needed where the service says so when it is missing", () => {
      it.each(cases("mirror"))("mirror: %s", { timeout: 120_000 }, async (_, number) => {
        const { rules, named } = without("mirror", `mirror-${number}`, number);
        const mirror = await mirrors(`mirror-${number}`, rules);
        await mirror.printed(named, { deadlineMs: 90_000 });
        await mirror.remove();
      });

      it.each(cases("mirror-branches"))(
        "mirror of several branches: %s",
        { timeout: 120_000 },
        async (_, at) => {
          const { rules, named } = without("mirror-branches", `branches-${at}`, at);
          const mirror = await mirrorsBranches(`branches-${at}`, rules);
          await mirror.printed(named, { deadlineMs: 90_000 });
          await mirror.remove();
        },
      );

      it.each(cases("deployer"))("deployer: %s", { timeout: 120_000 }, async (_, number) => {
        const { rules, named } = without("deployer", `deployer-${number}`, number);
        const deployer = await deploys(`deployer-${number}`, rules);
        await deployer.printed(named, { deadlineMs: 90_000 });
        await deployer.remove();
      });

      it.each(cases("http"))("http: %s", { timeout: 120_000 }, async (_, number) => {
        const { rules, named } = without("http", `http-${number}`, number);
        expect((await answers(`http-${number}`, rules)).replaceAll('\\"', '"')).toMatch(named);
      });
    });

    it("whoever writes image tags can do that and nothing else", async () => {
      const headers = { "x-consul-token": await token("images", policyRules("image-writer", "production")) };
      const ask = async (key: string, init: RequestInit = {}) => {
        const answer = await fetch(`${place.address}/v1/kv/${key}`, { headers, ...init });
        await answer.text();
        return answer.status;
      };
      const put = { method: "PUT", body: "1.4.2" };
      expect(await ask("sluice/images/web", put)).toBe(200);
      expect(await ask("sluice/images/web")).toBe(200);
      expect(await ask("sluice/production/files/apps/web.json", put)).toBe(403);
      expect(await ask("sluice/production/revision")).toBe(403);
    });
  },
);

/** The first line of an answer that goes on. */
async function firstLine(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  let text = "";
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    if (text.includes("\n")) break;
  }
  return text;
}
