import { describe, expect, it } from "vitest";
import type { Container } from "./container.ts";
import { type NamingOptions, onSharedNetwork, servicesOf } from "./services.ts";
import { containerWith } from "./testing/container.ts";

const OPTIONS: NamingOptions = {
  node: "host-1",
  owner: "sluice:host-1",
  address: "10.0.0.5",
  internal: false,
  explicit: false,
  tags: [],
};

const bound = (port: number, hostPort: number, hostIp = "0.0.0.0") =>
  ({ port, protocol: "tcp", bindings: [{ hostIp, hostPort }] }) as const;

function found(container: Partial<Container>, options: Partial<NamingOptions> = {}) {
  return servicesOf(containerWith({ id: "c".repeat(64), ...container }), { ...OPTIONS, ...options });
}
function brief(container: Partial<Container>, options: Partial<NamingOptions> = {}) {
  return found(container, options).services.map(({ id, name, address, port, tags }) => ({
    id,
    name,
    at: `${address}:${port}`,
    tags,
  }));
}
const labels = (words: Record<string, string>) => new Map(Object.entries(words));

describe("the services of a container", () => {
  it("are its published ports, named after the image", () => {
    expect(brief({ image: "registry:5000/shop/web:1.4.2", ports: [bound(80, 32_768)] })).toEqual([
      { id: "host-1:web-1:80", name: "web", at: "10.0.0.5:32768", tags: [] },
    ]);
  });

  it("bear their port where there are several", () => {
    expect(
      brief({ image: "web@sha256:1234", ports: [bound(80, 1), bound(443, 2)] }).map(({ name }) => name),
    ).toEqual(["web-80", "web-443"]);
  });

  it("take a name for one port as it is", () => {
    const words = labels({ SERVICE_NAME: "shop", SERVICE_443_NAME: "shop-tls" });
    expect(brief({ labels: words, ports: [bound(80, 1), bound(443, 2)] }).map(({ name }) => name)).toEqual([
      "shop-80",
      "shop-tls",
    ]);
  });

  it("are none for ports that are only exposed, and for a container that does not run", () => {
    expect(brief({ ports: [{ port: 80, protocol: "tcp", bindings: [] }] })).toEqual([]);
    expect(brief({ running: false, ports: [bound(80, 1)] })).toEqual([]);
  });

  it("take labels over the environment, and a port's own words over the general ones", () => {
    const container = {
      environment: labels({ SERVICE_NAME: "from-env", SERVICE_TAGS: "env", SERVICE_80_TAGS: "eighty" }),
      labels: labels({ SERVICE_NAME: "from-label", SERVICE_TAGS: "label" }),
      ports: [bound(80, 1)],
    };
    expect(brief(container)).toEqual([
      { id: "host-1:web-1:80", name: "from-label", at: "10.0.0.5:1", tags: ["eighty"] },
    ]);
  });

  it.each([
    ["a,b", ["a", "b"]],
    ["a\\,b,c", ["a,b", "c"]],
    [" a , ,b,a", ["a", "b"]],
    ["", []],
  ])("take the tags %j for %j", (text, tags) => {
    expect(brief({ labels: labels({ SERVICE_TAGS: text }), ports: [bound(80, 1)] })[0]?.tags).toEqual(tags);
  });

  it.each([
    ["true", 0],
    ["yes", 0],
    ["false", 1],
    ["0", 1],
    ["no", 1],
    ["", 1],
  ])("ignored %j are %i", (text, count) => {
    expect(brief({ labels: labels({ SERVICE_IGNORE: text }), ports: [bound(80, 1)] })).toHaveLength(count);
    expect(brief({ labels: labels({ SERVICE_80_IGNORE: text }), ports: [bound(80, 1)] })).toHaveLength(count);
  });

  it("are told apart by their protocol", () => {
    const ports = [bound(53, 53), { ...bound(53, 53), protocol: "udp" as const }];
    expect(brief({ ports }).map(({ id, tags }) => ({ id, tags }))).toEqual([
      { id: "host-1:web-1:53", tags: [] },
      { id: "host-1:web-1:53:udp", tags: ["udp"] },
    ]);
  });

  it("take the IPv4 binding where there are two, and an address that the port is bound to", () => {
    const both = [
      { hostIp: "::", hostPort: 7 },
      { hostIp: "0.0.0.0", hostPort: 8 },
    ];
    expect(brief({ ports: [{ port: 80, protocol: "tcp", bindings: both }] })[0]?.at).toBe("10.0.0.5:8");
    expect(brief({ ports: [bound(80, 9, "192.168.7.7")] })[0]?.at).toBe("192.168.7.7:9");
  });

  it("of a container on the host's network are at their own port", () => {
    const container = { networkMode: "host", ports: [{ port: 80, protocol: "tcp" as const, bindings: [] }] };
    expect(brief(container)[0]?.at).toBe("10.0.0.5:80");
  });

  it("are at the address of the network that is chosen", () => {
    const networks = labels({ front: "10.7.0.2", back: "10.8.0.2" });
    const container = { networks, ports: [bound(80, 1)], labels: labels({ SERVICE_NETWORK: "back" }) };
    expect(brief(container)[0]?.at).toBe("10.8.0.2:80");
    expect(found({ ...container, labels: labels({ SERVICE_80_NETWORK: "other" }) }).problems).toEqual([
      'web-1: port 80: it is not on the network "other"; its networks: front, back',
    ]);
  });

  it("inside are at the container's own address, if there is one only", () => {
    const one = { networks: labels({ bridge: "172.17.0.2" }), ports: [bound(80, 1)] };
    expect(brief(one, { internal: true })[0]?.at).toBe("172.17.0.2:80");
    const two = { ...one, networks: labels({ b: "10.8.0.2", a: "10.7.0.2" }) };
    expect(found(two, { internal: true })).toEqual({
      services: [],
      problems: [
        "web-1: port 80: it is on several networks (a, b); choose one with the label SERVICE_NETWORK",
      ],
    });
  });

  it("are only those that name themselves where that is asked", () => {
    expect(brief({ ports: [bound(80, 1)] }, { explicit: true })).toEqual([]);
    const named = { labels: labels({ SERVICE_NAME: "shop" }), ports: [bound(80, 1)] };
    expect(brief(named, { explicit: true })).toHaveLength(1);
  });

  it("keep what else is said as Meta, with who registered them and for which container", () => {
    const words = labels({
      SERVICE_VERSION: "1.4.2",
      SERVICE_80_WEIGHT: "3",
      SERVICE_CHECK_HTTP: "/",
      OTHER: "x",
    });
    const { meta = {} } = found({ labels: words, ports: [bound(80, 1)] }).services[0] ?? {};
    expect(meta).toEqual({
      version: "1.4.2",
      weight: "3",
      "managed-by": "sluice:host-1",
      "container-id": "c".repeat(12),
      "sluice-fingerprint": expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  it.each([
    [{ SERVICE_NOTE: "x".repeat(513) }, /SERVICE_NOTE is longer than the 512 bytes/],
    [{ "SERVICE_A.B": "x" }, /SERVICE_A\.B cannot be a key/],
    [{ SERVICE_NAME: "a\nb" }, /control characters/],
    [{ SERVICE_CHECK_HTTP: "/", SERVICE_CHECK_INTERVAL: "soon" }, /SERVICE_CHECK_INTERVAL is "soon"/],
  ])("are left out with a reason for %j", (words, reason) => {
    const { services, problems } = found({ labels: labels(words), ports: [bound(80, 1)] });
    expect([services, problems]).toEqual([[], [expect.stringMatching(reason)]]);
  });
});

describe("the checks of a service", () => {
  const checks = (words: Record<string, string>, more: Partial<Container> = {}) =>
    found({ labels: labels(words), ports: [bound(80, 8080)], ...more }).services[0]?.checks.map(
      ({ probe, intervalMs, initial }) => ({ probe, intervalMs, initial }),
    );

  it.each([
    [
      { SERVICE_CHECK_HTTP: "/health", SERVICE_CHECK_INTERVAL: "15s" },
      { kind: "http", url: "http://10.0.0.5:8080/health", method: "GET", skipVerify: false },
      15_000,
    ],
    [
      {
        SERVICE_CHECK_HTTPS: "health",
        SERVICE_CHECK_HTTPS_METHOD: "head",
        SERVICE_CHECK_TLS_SKIP_VERIFY: "true",
      },
      { kind: "http", url: "https://10.0.0.5:8080/health", method: "HEAD", skipVerify: true },
      10_000,
    ],
    [{ SERVICE_80_CHECK_TCP: "true" }, { kind: "tcp", address: "10.0.0.5:8080" }, 10_000],
    [{ SERVICE_CHECK_TTL: "30s" }, { kind: "ttl", ttlMs: 30_000 }, 10_000],
    [
      { SERVICE_CHECK_GRPC: "shop.Health", SERVICE_CHECK_GRPC_USE_TLS: "yes" },
      { kind: "grpc", address: "10.0.0.5:8080/shop.Health", tls: true, skipVerify: false },
      10_000,
    ],
    [
      { SERVICE_CHECK_SCRIPT: "nc -z $SERVICE_IP $SERVICE_PORT" },
      { kind: "script", args: ["nc", "-z", "10.0.0.5", "8080"] },
      10_000,
    ],
  ])("of %j", (words, probe, intervalMs) => {
    expect(checks(words as Record<string, string>)).toEqual([{ probe, intervalMs, initial: "critical" }]);
  });

  it("begin as they are told to", () => {
    expect(checks({ SERVICE_CHECK_TCP: "1", SERVICE_CHECK_INITIAL_STATUS: "passing" })?.[0]?.initial).toBe(
      "passing",
    );
  });

  it("hold Docker's own HEALTHCHECK beside", () => {
    const both = found({
      health: "healthy",
      labels: labels({ SERVICE_CHECK_TCP: "1" }),
      ports: [bound(80, 1)],
    });
    expect(both.services[0]?.checks.map(({ id }) => id)).toEqual([
      "service:host-1:web-1:80:docker",
      "service:host-1:web-1:80",
    ]);
  });
});

describe("the place of a container", () => {
  const exposed = [{ port: 80, protocol: "tcp", bindings: [] }] as const;

  it("is that of another one whose network it shares", () => {
    const other = containerWith({
      id: "d".repeat(64),
      networks: new Map([["shop", "10.9.0.7"]]),
      networkMode: "shop",
    });
    const one = containerWith({ networkMode: `container:${other.id}`, networks: new Map(), ports: exposed });
    const at = (container: Container) => brief(container, { internal: true }).map((service) => service.at);
    expect(at(one)).toEqual([]);
    expect(at(onSharedNetwork(one, [other]))).toEqual(["10.9.0.7:80"]);
    expect(at(onSharedNetwork(one, []))).toEqual([]);
  });

  it("is never one of Swarm's own networks", () => {
    const networks = new Map([
      ["ingress", "10.0.0.4"],
      ["shop_default", "10.0.1.9"],
    ]);
    expect(brief({ networks, ports: exposed }, { internal: true }).map(({ at }) => at)).toEqual([
      "10.0.1.9:80",
    ]);
  });
});
