import { type ConnectionOptions, consulKv, consulVersion } from "@sluice/consul";
import { SluiceError, systemClock } from "@sluice/core";
import type { Config } from "../../config/schema.ts";
import { type Check, PATIENCE_MS, said } from "./finding.ts";

/** What the catalog's and the KV's ways of answering were tested with. */
const OLDEST = [1, 8] as const;

/** The Consul that is configured, and the agent of this machine where the registrar has another. */
export function consulChecks(config: Config, embedded: string): readonly Check[] {
  const { address = embedded, ...access } = config.consul ?? {};
  const known = Object.fromEntries(Object.entries(access).filter(([, value]) => value !== undefined));
  const connection: ConnectionOptions = { ...known, address };
  const hint = "Is it started, and are consul.address, its certificates and its token right?";
  const checks: Check[] = [
    () => said("Consul", hint, () => answers(connection, `${config.prefix}/doctor`)),
    () => said(`Consul at ${address}`, "Install Consul 1.8 or newer.", () => version(connection)),
  ];
  const agent = config.registrar?.agent;
  if (agent)
    checks.push(() =>
      said(`Consul's agent at ${agent}`, "Start the agent of this machine, or mend registrar.agent.", () =>
        version({ ...connection, address: agent }),
      ),
    );
  return checks;
}

async function answers(connection: ConnectionOptions, key: string): Promise<string> {
  const kv = consulKv({ ...connection, clock: systemClock, random: Math.random });
  try {
    await kv.get(key);
    return "answers";
  } finally {
    kv.close();
  }
}

async function version(connection: ConnectionOptions): Promise<string> {
  const found = await consulVersion(connection, AbortSignal.timeout(PATIENCE_MS));
  if (found === undefined)
    return "answers; its version is not told to this token, which needs no rule for it";
  const [major = 0, minor = 0] = found.split(".").map((part) => Number.parseInt(part, 10));
  const [least, then] = OLDEST;
  if (major > least || (major === least && minor >= then)) return `version ${found}`;
  throw new SluiceError("CONFIG_INVALID", `version ${found} is older than ${least}.${then}`);
}
