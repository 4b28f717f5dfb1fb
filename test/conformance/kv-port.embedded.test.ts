import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { consulKv } from "@sluice/consul";
import { kvConformance } from "@sluice/core/testing/kv-conformance";
import { embeddedConsul } from "@sluice/embedded";

kvConformance("consulKv on the embedded Consul", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "kv-port-"));
  const server = await embeddedConsul({ dataDir, port: 0 });
  const [kv, another] = [consulKv(server), consulKv(server)];
  return {
    kv,
    another,
    async stop() {
      await Promise.all([kv.close(), another.close()]);
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
});
