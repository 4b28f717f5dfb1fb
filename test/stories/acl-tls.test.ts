import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { denyAll, policyRules, tokenFor } from "../harness/acl.ts";
import { type BareRepo, bareRepo } from "../harness/bare-repo.ts";
import { freePort } from "../harness/free-port.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";
import { type TemporaryFile, temporaryFile } from "../harness/temporary-file.ts";
import { describeWithServer, hasConsul, hasOpenssl } from "../servers/available.ts";
import { type RealConsul, startRealConsul } from "../servers/consul.ts";
import { type Certificates, makeCertificates } from "../servers/tls.ts";

const MASTER = randomUUID();

describeWithServer(
  "a Consul that speaks TLS, wants client certificates and denies by default",
  { consul: hasConsul(), openssl: hasOpenssl() },
  () => {
    let certificates: Certificates;
    let consul: RealConsul;
    let address: string;
    let repository: BareRepo;
    let first: string;
    let tokenFile: TemporaryFile;
    const toEnd: (() => unknown)[] = [];

    beforeAll(async () => {
      certificates = makeCertificates();
      const { ca, cert, key } = certificates.server;
      const https = await freePort();
      address = `https://127.0.0.1:${https}`;
      consul = (await startRealConsul({
        token: MASTER,
        config: {
          ...denyAll(MASTER),
          ports: { https },
          ca_file: ca,
          cert_file: cert,
          key_file: key,
          verify_incoming: true,
        },
      })) as RealConsul;
      repository = bareRepo();
      repository.commit({ a: "1" });
      first = await token();
      tokenFile = temporaryFile(`${first}\n`);
    });
    afterAll(async () => {
      await Promise.all(toEnd.map((end) => end()));
      await consul?.stop();
      tokenFile?.remove();
      repository?.remove();
      certificates?.remove();
    });

    function token(): Promise<string> {
      return tokenFor(consul.address, MASTER, randomUUID(), policyRules("mirror", "tls"));
    }
    /** A mirror that is told this much about how to reach Consul. */
    async function mirror(tls: { ca?: string; cert?: string; key?: string }): Promise<RoleProcess> {
      const process = await startRoles({
        roles: ["mirror"],
        config: {
          consul: { address, tokenFile: tokenFile.path, ...tls },
          lock: { ttl: "10s", delay: "1s" },
          environments: { tls: { source: { repository: repository.folder, interval: "1s" } } },
        },
      });
      toEnd.push(() => process.remove());
      return process;
    }

    it("is used with consul.ca, cert and key, and a token that is renewed in its file is taken up", async () => {
      const { ca, cert, key } = certificates.client;
      const one = await mirror({ ca, cert, key });
      await one.printed(/✔ mirrored/);
      const old = await accessorOf(first, consul.address);
      const next = await token();
      tokenFile.write(`${next}\n`);
      const headers = { "x-consul-token": MASTER };
      await fetch(`${consul.address}/v1/acl/token/${old}`, { method: "DELETE", headers });
      repository.commit({ a: "2" });
      await one.printed(/✔ mirrored/, { times: 2 });
      expect(one.output()).not.toMatch(/✗/);
      expect(await one.stop()).toBe(0);
      expect(one.output()).not.toContain(next);
    });

    const wrong: [
      what: string,
      tls: (all: Certificates) => { ca?: string; cert?: string; key?: string },
      says: RegExp,
    ][] = [
      [
        "another authority",
        (all) => ({ ...all.client, ca: all.stranger.ca }),
        /its certificate is not from the authority in consul\.ca/,
      ],
      [
        "no authority at all",
        ({ client: { cert, key } }) => ({ cert, key }),
        /its certificate is not from an authority this machine trusts; consul\.ca can name one/,
      ],
      [
        "no client certificate",
        ({ client: { ca } }) => ({ ca }),
        /it wants a client certificate; consul\.cert and consul\.key name one/,
      ],
      [
        "a stranger's client certificate",
        (all) => ({ ...all.stranger, ca: all.client.ca }),
        /it does not take the client certificate in consul\.cert/,
      ],
    ];
    it.each(wrong)("%s gives one clear sentence", async (_, tls, says) => {
      const one = await mirror(tls(certificates));
      await one.printed(says);
      const lines = one
        .output()
        .split("\n")
        .filter((line) => line.includes("✗"));
      expect(lines).toHaveLength(1);
    });
  },
);

/** The id by which a token is deleted. */
async function accessorOf(secret: string, address: string): Promise<string> {
  const answer = await fetch(`${address}/v1/acl/token/self`, { headers: { "x-consul-token": secret } });
  return ((await answer.json()) as { AccessorID: string }).AccessorID;
}
