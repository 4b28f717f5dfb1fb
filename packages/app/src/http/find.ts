import { type EnvName, SluiceError, suggest } from "@sluice/core";
import type { Environment } from "../engine/environment.ts";

/** @throws NOT_FOUND naming the ones there are. */
export function findEnvironment(environments: readonly Environment[], name: string): Environment {
  const found = environments.find((one) => one.name === name);
  if (found) return found;
  const names: EnvName[] = environments.map((one) => one.name);
  throw new SluiceError(
    "NOT_FOUND",
    `there is no environment "${name}"${suggest(name, names)}; there are ${names.join(", ")}`,
  );
}
