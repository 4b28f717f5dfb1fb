import type Docker from "dockerode";
import type { Container, ContainerHealth, ContainerPort } from "../container.ts";

/** Docker's own form of a container as ours. */
export function containerOf(found: Docker.ContainerInspectInfo): Container {
  const { State, Config, HostConfig, NetworkSettings } = found;
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ""),
    image: Config.Image,
    running: State.Running && State.Status !== "restarting",
    networkMode: HostConfig.NetworkMode ?? "default",
    networks: new Map(
      Object.entries(NetworkSettings.Networks ?? {}).flatMap(([name, one]) => {
        const address = one.IPAddress || one.GlobalIPv6Address;
        return address ? [[name, address]] : [];
      }),
    ),
    ports: portsOf(Config.ExposedPorts ?? {}, NetworkSettings.Ports ?? {}),
    environment: new Map((Config.Env ?? []).map(pair)),
    labels: new Map(Object.entries(Config.Labels ?? {})),
    health: healthOf(State.Health?.Status),
  };
}

/** Exposed and published ones, without repeats, in order. */
function portsOf(
  exposed: Readonly<Record<string, unknown>>,
  published: Readonly<Record<string, readonly { HostIp: string; HostPort: string }[] | null>>,
): readonly ContainerPort[] {
  const names = [...new Set([...Object.keys(exposed), ...Object.keys(published)])];
  return names
    .flatMap((name) => {
      const [number, protocol] = name.split("/");
      if (protocol !== "tcp" && protocol !== "udp") return [];
      const bindings = (published[name] ?? [])
        .map(({ HostIp, HostPort }) => ({ hostIp: HostIp, hostPort: Number(HostPort) }))
        .filter(({ hostPort }) => hostPort > 0);
      return [{ port: Number(number), protocol, bindings } as const];
    })
    .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
}

function pair(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function healthOf(status: string | undefined): ContainerHealth {
  return status === "starting" || status === "healthy" || status === "unhealthy" ? status : "none";
}
