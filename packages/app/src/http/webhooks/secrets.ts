import { SluiceError } from "@sluice/core";
import type { Config } from "../../config/schema.ts";
import { readSecret } from "../../engine/environment.ts";
import type { ProviderName } from "./provider.ts";

/**
 * The secrets of each provider that has any; several stand one a line, so that one can be changed without a gap.
 * @throws CONFIG_INVALID for a file that cannot be read or holds none: an empty secret is one that everybody knows.
 */
export function webhookSecrets(webhooks: Config["webhooks"]): ReadonlyMap<ProviderName, readonly string[]> {
  const { maxBodyBytes: _, registry: __, ...providers } = webhooks;
  const entries = Object.entries(providers) as [ProviderName, { secretFile: string } | undefined][];
  return new Map(
    entries.flatMap(([name, settings]) => (settings ? [[name, secretsIn(name, settings.secretFile)]] : [])),
  );
}

/** @throws CONFIG_INVALID */
export function secretsIn(name: string, file: string): readonly string[] {
  let text: string;
  try {
    text = readSecret(file);
  } catch (cause) {
    throw new SluiceError("CONFIG_INVALID", `webhooks.${name}.secretFile: cannot read ${file}`, { cause });
  }
  const secrets = text.split("\n").flatMap((line) => line.trim() || []);
  if (secrets.length > 0) return secrets;
  throw new SluiceError("CONFIG_INVALID", `webhooks.${name}.secretFile: ${file} holds no secret`);
}
