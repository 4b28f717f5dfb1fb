import type { CheckStatus, RegisteredService } from "@sluice/core";
import { NOT_CONSUL } from "../failure.ts";
import type { RawCheck } from "../raw-answers.ts";
import type { Transport } from "../transport.ts";
import { ALL_SERVICES, mayReadService } from "./permission.ts";

/** The Meta key that says who registered a service. */
const OWNER_KEY = "managed-by";

export interface OwnedOptions {
  /** What the owner had at the last look, by id, with the service's name. */
  readonly before: ReadonlyMap<string, string> | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Services first, checks after: one that is registered in between shows without its checks, and is looked at again. Of what is no
 * longer there it is asked whether the token may still read it: rules that hide it do not make it gone.
 */
export async function ownedServices(
  transport: Transport,
  owner: string,
  { before, signal }: OwnedOptions,
): Promise<readonly RegisteredService[]> {
  const deed = { what: "list the agent's services", rule: ALL_SERVICES.read };
  const services = await transport.call({
    ...deed,
    readOnly: true,
    signal,
    send: (client, settings) => client.agent.service.list(settings),
  });
  const checks = await transport.call({
    ...deed,
    readOnly: true,
    signal,
    send: (client, settings) => client.agent.check.list(settings),
  });
  if (!isRecord(services.body) || !isRecord(checks.body)) throw transport.error(NOT_CONSUL, deed);
  const present = new Set(Object.keys(services.body));
  const vanished = [...(before ?? [])].filter(([id]) => !present.has(id)).map(([, name]) => name);
  for (const name of new Set(vanished)) await mayReadService(transport, name, signal);
  const byService = new Map<string, Map<string, { status: CheckStatus; output: string }>>();
  for (const check of Object.values(checks.body)) {
    const known = byService.get(check.ServiceID) ?? new Map();
    byService.set(check.ServiceID, known.set(check.CheckID, stateOf(check)));
  }
  return Object.values(services.body)
    .filter(({ Meta }) => Meta?.[OWNER_KEY] === owner)
    .map(({ ID, Service, Address, Port, Tags, Meta }) => ({
      id: ID,
      name: Service,
      address: Address,
      port: Port,
      tags: Tags ?? [],
      meta: Meta ?? {},
      checks: byService.get(ID) ?? new Map(),
    }));
}

function stateOf({ Status, Output }: RawCheck): { status: CheckStatus; output: string } {
  return { status: Status === "passing" || Status === "warning" ? Status : "critical", output: Output };
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
