import { consulKv } from "@sluice/consul";
import { kvConformance } from "@sluice/core/testing/kv-conformance";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { startRealConsul } from "../servers/consul.ts";

describeWithServer("consulKv on a real Consul", { consul: hasConsul() }, () => {
  kvConformance("consulKv on a real Consul", async () => {
    const server = await startRealConsul();
    if (!server) throw new Error("Consul vanished from this machine");
    const [kv, another] = [consulKv(server), consulKv(server)];
    return {
      kv,
      another,
      async stop() {
        await Promise.all([kv.close(), another.close()]);
        await server.stop();
      },
    };
  });
});
