import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { consulCatalog } from "@sluice/consul";
import { catalogConformance } from "@sluice/core/testing/catalog-conformance";
import { embeddedConsul } from "@sluice/embedded";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

catalogConformance("consulCatalog on the embedded Consul", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "sluice-catalog-"));
  const server = await embeddedConsul({ dataDir });
  const catalog = consulCatalog({ address: server.address });
  return {
    catalog,
    async stop() {
      catalog.close();
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
});

describeWithServer("consulCatalog on a real Consul", { consul: hasConsul() }, () => {
  catalogConformance("consulCatalog on a real Consul", async () => {
    const server = await startRealConsul();
    if (!server) throw new Error("Consul vanished from this machine");
    const catalog = consulCatalog({ address: server.address });
    return {
      catalog,
      async stop() {
        catalog.close();
        await server.stop();
      },
    };
  });
});
