import { NOT_CONSUL } from "./failure.ts";
import { pathKey } from "./npm-client.ts";
import { consulIndex, mayReadUnder, refuseNoPrefix } from "./read.ts";
import { prefixRule } from "./rule.ts";
import type { Transport } from "./transport.ts";

/**
 * The names under a prefix, unless Consul's index of the prefix is newer than `since`: it is the newest ModifyIndex of what is
 * there, or that of a removal, while Consul remembers it (its `tombstone_ttl`, 15 minutes). As for a list, a rule for
 * the prefix is made sure of: without one it would look empty.
 */
export async function readNames(
  transport: Transport,
  prefix: string,
  since: string,
  signal: AbortSignal | undefined,
): Promise<readonly string[] | undefined> {
  refuseNoPrefix(prefix);
  const deed = { what: `list the names under "${prefix}"`, rule: prefixRule(prefix, "list") };
  const asked = transport.call<readonly string[]>({
    ...deed,
    readOnly: true,
    signal,
    accept: ({ status }) => status === 404,
    send: (client, settings) => client.kv.keys({ ...settings, key: pathKey(prefix) }),
  });
  const [reply] = await Promise.all([asked, mayReadUnder(transport, prefix, signal)]);
  const index = consulIndex(reply, transport, deed);
  if (reply.status === 404) return undefined;
  if (!Array.isArray(reply.body)) throw transport.error(NOT_CONSUL, deed);
  return BigInt(index) > BigInt(since) ? undefined : reply.body;
}
