import type { Json, JsonObject } from "@sluice/core";
import { numberIn, objectIn, textIn } from "../../format/reading.ts";

/** The ports of a Compose service as EndpointSpec has them, or what is wrong with one of them. */
export function portsOf(port: Json): readonly JsonObject[] | string {
  const long = objectIn(port);
  if (long) {
    const published = long.published ?? undefined;
    return [
      {
        ...(textIn(long.name) ? { Name: textIn(long.name) ?? "" } : {}),
        Protocol: textIn(long.protocol) ?? "tcp",
        TargetPort: numberIn(long.target) ?? 0,
        ...(published === undefined ? {} : { PublishedPort: Number(published) }),
        PublishMode: textIn(long.mode) ?? "ingress",
      },
    ];
  }
  return shortPorts(String(port));
}

const SHORT = /^(?:(?<host>\d+(?:-\d+)?):)?(?<container>\d+(?:-\d+)?)(?:\/(?<protocol>tcp|udp|sctp))?$/;

/** `80`, `8080:80`, `9090-9091:8080-8081/udp`. */
function shortPorts(text: string): readonly JsonObject[] | string {
  const found = SHORT.exec(text)?.groups;
  if (!found && /^(\d+\.\d+\.\d+\.\d+|\[[^\]]*\]):/.test(text))
    return "Swarm publishes ports on every address of a node; leave the address out";
  const targets = rangeOf(found?.container);
  if (!found || targets.length === 0) return 'must be a port such as "8080:80" or "53:53/udp"';
  const published = found.host === undefined ? undefined : rangeOf(found.host);
  if (published && published.length !== targets.length) return "its two ranges have not the same length";
  return targets.map((TargetPort, at) => ({
    Protocol: found.protocol ?? "tcp",
    TargetPort,
    ...(published ? { PublishedPort: published[at] ?? 0 } : {}),
    PublishMode: "ingress",
  }));
}

const MOST_PORTS = 1000;

function rangeOf(text: string | undefined): readonly number[] {
  const [first = Number.NaN, last = first] = (text ?? "").split("-").map(Number);
  if (!(first >= 1 && last <= 65_535 && last >= first && last - first < MOST_PORTS)) return [];
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
