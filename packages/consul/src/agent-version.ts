import { isSluiceError } from "@sluice/core";
import { type ConnectionOptions, transportOptions } from "./connection-options.ts";
import { transport } from "./transport.ts";

/**
 * The version of the agent that answers: `1.8.7`. Undefined where the token has no rule for it (`agent_prefix "" read`), which no
 * service needs. @throws KV_UNREACHABLE, CONFIG_INVALID
 */
export async function consulVersion(
  options: ConnectionOptions,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const wire = transport(transportOptions(options));
  try {
    const reply = await wire.call({
      what: "read the agent's version",
      readOnly: true,
      signal,
      send: (client, settings) => client.agent.self(settings),
    });
    return reply.body?.Config?.Version;
  } catch (error) {
    if (isSluiceError(error, "KV_DENIED")) return undefined;
    throw error;
  } finally {
    wire.close();
  }
}
