import { randomUUID } from "node:crypto";
import { consulKv } from "@sluice/consul";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { denyAll, policyRules, type Rule, tokenFor } from "../harness/acl.ts";
import { type BareRepo, bareRepo } from "../harness/bare-repo.ts";
import { type Mirrored, readMirrored } from "../harness/mirrored.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";
import { settled } from "../harness/settled.ts";
import { temporaryFile } from "../harness/temporary-file.ts";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { type RealConsul, startRealConsul } from "../servers/consul.ts";

const MASTER = randomUUID();

/** `enable_key_list_policy` makes old servers refuse a list; without it they leave keys out of it without a word. */
describeWithServer("what rules hide is never taken for gone", { consul: hasConsul() }, () => {
  describe.each([[false], [true]])("enable_key_list_policy: %s", (enable_key_list_policy) => {
    let consul: RealConsul;
    const toEnd: (() => unknown)[] = [];

    beforeAll(async () => {
      const config = denyAll(MASTER, { enable_key_list_policy });
      consul = (await startRealConsul({ token: MASTER, config })) as RealConsul;
    });
    afterAll(async () => {
      await Promise.all(toEnd.map((end) => end()));
      await consul?.stop();
    });

    async function mirror(environment: string, repository: BareRepo, token: string): Promise<RoleProcess> {
      const tokenFile = temporaryFile(token);
      const process = await startRoles({
        roles: ["mirror"],
        config: {
          consul: { address: consul.address, tokenFile: tokenFile.path },
          lock: { ttl: "10s", delay: "1s" },
          environments: { [environment]: { source: { repository: repository.folder, interval: "1s" } } },
        },
      });
      toEnd.push(() => process.remove(), tokenFile.remove);
      return process;
    }
    /** Mirrors two files with every right, then stops. */
    async function whole(environment: string): Promise<BareRepo> {
      const repository = bareRepo();
      toEnd.push(() => repository.remove());
      repository.commit({ seen: "1", "hidden/file": "1" });
      const first = await mirror(environment, repository, MASTER);
      await first.printed(/✔ mirrored/);
      expect(await first.stop()).toBe(0);
      return repository;
    }
    function read(environment: string): Promise<Mirrored | undefined> {
      return readMirrored(consul.address, environment, MASTER);
    }
    const rulesOf = (environment: string) => policyRules("mirror", environment);

    it("a mirror that may see no file changes nothing, though its branch is empty", async () => {
      const repository = await whole("blind");
      const before = await read("blind");
      const rules = rulesOf("blind").filter(({ name }) => !name.endsWith("/files/"));
      repository.commit({});
      const blind = await mirror("blind", repository, await tokenFor(consul.address, MASTER, "blind", rules));
      await blind.printed(/the token needs: key_prefix "sluice\/blind\/files\/" \{ policy = "list" \}/);
      expect(await settled(() => read("blind"))).toEqual(before);
      expect(before?.files).toEqual({ seen: "1", "hidden/file": "1" });
    });

    it("a mirror from which a deeper rule hides a file writes nothing rather than a part", async () => {
      const repository = await whole("partly");
      const before = await read("partly");
      const deny: Rule = {
        subject: "",
        name: "",
        text: `key_prefix "sluice/partly/files/hidden/" { policy = "deny" }`,
      };
      const token = await tokenFor(consul.address, MASTER, "partly", [...rulesOf("partly"), deny]);
      repository.commit({ seen: "2", "hidden/file": "1" });
      const partly = await mirror("partly", repository, token);
      await partly.printed(
        /the token needs: key "sluice\/partly\/files\/hidden\/file" \{ policy = "write" \}/,
      );
      expect(await settled(() => read("partly"))).toEqual(before);
    });

    it("a list is refused where nothing of it may be read", async () => {
      const token = await tokenFor(consul.address, MASTER, "none", []);
      const kv = consulKv({ address: consul.address, token });
      toEnd.push(() => kv.close());
      await expect(kv.list("sluice/blind/files/")).rejects.toMatchObject({
        code: "KV_DENIED",
        message: expect.stringContaining(`key_prefix "sluice/blind/files/" { policy = "list" }`) as string,
      });
      await expect(kv.getMany(["sluice/blind/revision", "sluice/partly/revision"])).rejects.toMatchObject({
        code: "KV_FILTERED",
        message: expect.stringContaining(`key "sluice/blind/revision" { policy = "read" }`) as string,
      });
    });
  });
});
