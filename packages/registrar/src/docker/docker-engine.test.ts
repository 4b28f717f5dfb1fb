import { expect, it } from "vitest";
import { listed } from "./docker-engine.ts";

const container = (more: object) =>
  ({
    Id: "a",
    Names: ["/web"],
    State: "running",
    Status: "Up 2 minutes (healthy)",
    Ports: [
      { IP: "0.0.0.0", PrivatePort: 80, PublicPort: 32_768, Type: "tcp" },
      { IP: "::", PrivatePort: 80, PublicPort: 32_768, Type: "tcp" },
    ],
    NetworkSettings: { Networks: { bridge: { IPAddress: "172.17.0.2" } } },
    Labels: {},
    ...more,
  }) as unknown as Parameters<typeof listed>[0];

it.each([
  ["time goes by", { Status: "Up 3 minutes (healthy)" }, true],
  ["the ports come in another order", { Ports: [...container({}).Ports].reverse() }, true],
  ["it becomes ill", { Status: "Up 3 minutes (unhealthy)" }, false],
  ["it is renamed", { Names: ["/other"] }, false],
  ["it joins a network", { NetworkSettings: { Networks: { shop: { IPAddress: "10.0.0.2" } } } }, false],
])("is looked at closer only where something changed: %s", (_, more, same) => {
  expect(listed(container(more)).mark === listed(container({})).mark).toBe(same);
});
