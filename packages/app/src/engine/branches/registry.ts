import { type EnvName, isJsonObject, type Json, type KvEntry } from "@sluice/core";
import { branchEnvironment } from "./name.ts";

/** A branch that has, or had, an environment of its own. */
export interface BranchEntry {
  readonly branch: string;
  readonly name: EnvName;
  /** `absent`: the branch is gone and its environment stays for now. `removing`: nobody may work on it any more. */
  readonly state: "present" | "absent" | "removing";
  /** When the branch came, or went; ISO 8601. */
  readonly since: string;
}

/** `<prefix>/<environment>/branches`, as bytes: how every process knows which environments there are. */
export function encodeRegistry(entries: readonly BranchEntry[]): Uint8Array {
  return Buffer.from(JSON.stringify({ branches: entries }));
}

/**
 * The branches of an environment's registry; undefined where there is none that can be read: then nothing is known.
 * @param environment a name that its branch does not give is left out: keys are deleted under it.
 */
export function decodeRegistry(
  environment: EnvName,
  entry: KvEntry | undefined,
): readonly BranchEntry[] | undefined {
  if (!entry) return undefined;
  try {
    const value = JSON.parse(Buffer.from(entry.value).toString("utf8")) as Json;
    if (!isJsonObject(value) || !Array.isArray(value.branches)) return undefined;
    return value.branches.flatMap((one) => entryOf(environment, one));
  } catch {
    return undefined;
  }
}

function entryOf(environment: EnvName, value: Json): BranchEntry[] {
  if (!isJsonObject(value)) return [];
  const { branch, name, state, since } = value;
  if (typeof branch !== "string" || typeof since !== "string") return [];
  if (state !== "present" && state !== "absent" && state !== "removing") return [];
  const own = branchEnvironment(environment, branch);
  return name === own ? [{ branch, name: own, state, since }] : [];
}
