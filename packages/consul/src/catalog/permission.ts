import type { SluiceError } from "@sluice/core";
import type { Deed } from "../failure.ts";
import type { RawInstance } from "../raw-answers.ts";
import type { Transport } from "../transport.ts";

/** What an agent says of a service it has none of, or whose instances are not well: answers, all of them. */
const ANSWERS: ReadonlySet<number | undefined> = new Set([404, 429, 503]);

/**
 * Before 1.11 Consul leaves out of its lists what a token may not read, and does not tell. An agent asked for one service by name
 * refuses instead, whether there is such a service or not (1.6.3 and newer).
 * @throws KV_DENIED where the token has no rule for the service.
 */
export async function mayReadService(
  transport: Transport,
  name: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await transport.call<readonly RawInstance[]>({
    what: `read the service "${name}"`,
    rule: serviceRule(name, "read"),
    readOnly: true,
    signal,
    accept: ({ status }) => ANSWERS.has(status),
    path: (path) => path.replace("/health/service/", "/agent/health/service/name/"),
    send: (client, settings) => client.health.service({ ...settings, service: name }),
  });
}

/** The error for an answer that rules have made shorter than the truth. */
export function filtered(transport: Transport, text: string, deed: Deed): SluiceError {
  return transport.error({ status: undefined, text }, deed, "KV_FILTERED");
}

export function serviceRule(name: string, access: "read" | "write"): string {
  return `service ${JSON.stringify(name)} { policy = "${access}" }`;
}

export const ALL_SERVICES = { read: everyService("read"), write: everyService("write") };
export const ALL_NODES_READ = `node_prefix "" { policy = "read" }`;

function everyService(access: string): string {
  return `service_prefix "" { policy = "${access}" }`;
}
