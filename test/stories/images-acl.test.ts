import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { policyRules, type Rule, tokenFor } from "../harness/acl.ts";
import { bareRepo } from "../harness/bare-repo.ts";
import { denyingConsul } from "../harness/denying-consul.ts";
import { sluice } from "../harness/engine.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";

const MASTER = randomUUID();
const WEB = "registry.example/shop/web";

describeWithServer("image versions on a Consul that denies by default", { consul: hasConsul() }, () => {
  const place = denyingConsul(MASTER);

  function tokenFile(name: string, token: string): string {
    const file = join(place.folder, name);
    writeFileSync(file, `${token}\n`);
    return file;
  }
  async function updater(name: string, rules: readonly Rule[]) {
    const repository = bareRepo();
    place.toEnd.push(() => repository.remove());
    repository.commit({
      "deploy.yaml": `images: { ${WEB}: { policy: semver } }\n`,
      "web.yaml": `image: ${WEB}:1.0.0\n`,
    });
    const token = tokenFile(name, await tokenFor(place.address, MASTER, name, rules));
    const process: RoleProcess = await startRoles({
      roles: ["image-updater"],
      config: {
        consul: { address: place.address, tokenFile: token },
        lock: { ttl: "10s", delay: "1s" },
        environments: { [name]: { source: { repository: repository.folder, interval: "1s" } } },
      },
    });
    place.toEnd.push(() => process.remove());
    const show = () => execFileSync("git", ["-C", repository.folder, "show", "main:web.yaml"]).toString();
    return { process, show };
  }

  it("are announced with the policy of whoever writes images, straight to Consul, and committed with the updater's", async () => {
    const writer = await tokenFor(place.address, MASTER, "writer", policyRules("image-writer", "any"));
    const words = ["--consul", place.address, "--consul-token-file", tokenFile("writer", writer)];
    expect(await sluice(["image", "set", WEB, "1.1.0", ...words])).toEqual({
      code: 0,
      output: `✔ ${WEB} 1.1.0 is announced\n`,
    });
    const { process, show } = await updater("able", policyRules("image-updater", "able"));
    await process.printed(/1\.0\.0 → 1\.1\.0 in 1 place/);
    expect(show()).toBe(`image: ${WEB}:1.1.0\n`);
    expect(process.output()).not.toMatch(/the token needs/);
  }, 90_000);

  it("are committed without the rule for hints, which is told", async () => {
    const rules = policyRules("image-updater", "no-hints").filter(({ name }) => !name.includes("/control/"));
    const { process } = await updater("no-hints", rules);
    await process.printed(/1\.0\.0 → 1\.1\.0 in 1 place/);
    await process.printed(/the token needs: key "sluice\/no-hints\/control\//);
  }, 90_000);

  it.each(
    policyRules("image-updater", "any")
      .filter(({ name }) => !name.includes("/control/"))
      .map(({ subject }, at) => [subject, at] as const),
  )(
    "without %s nothing is committed, and the rule is named",
    async (_, at) => {
      const environment = `without-${at}`;
      const rules = policyRules("image-updater", environment).filter(
        ({ name }) => !name.includes("/control/"),
      );
      const missing = rules[at] as Rule;
      const { process, show } = await updater(
        environment,
        rules.filter((rule) => rule !== missing),
      );
      // The rules for hints are missing as well, and may be told first.
      const quoted = missing.subject.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      await process.printed(new RegExp(`the token needs: ${quoted}`));
      expect(show()).toBe(`image: ${WEB}:1.0.0\n`);
    },
    90_000,
  );
});
