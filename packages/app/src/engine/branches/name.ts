import { createHash } from "node:crypto";
import { type EnvName, envName } from "@sluice/core";

/** Of an environment's name. */
const LONGEST = 63;
/** Hex digits of a branch's hash. */
const HASH = 10;

const PLAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
/** What ends like a hash gets one of its own, so that no branch is called what another one is turned into. */
const ENDS_LIKE_A_HASH = new RegExp(`(^|-)[0-9a-f]{${HASH}}$`);

/**
 * What the environment of a branch is called: `<environment>-<branch>` where the branch's name can be part of a name as it is,
 * else with what can be kept of it and a hash of all of it: `feature/Login` becomes `feature-login-4b0d2c8e91`. The same branch
 * is always called the same.
 * @param environment of the patterns; at most 40 characters.
 */
export function branchEnvironment(environment: string, branch: string): EnvName {
  return envName(`${environment}-${slug(branch, LONGEST - environment.length - 1)}`);
}

function slug(branch: string, room: number): string {
  if (branch.length <= room && PLAIN.test(branch) && !ENDS_LIKE_A_HASH.test(branch)) return branch;
  const hash = createHash("sha256").update(branch).digest("hex").slice(0, HASH);
  const words = branch
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, room - HASH - 1)
    .replace(/^-+|-+$/g, "");
  return words === "" ? hash : `${words}-${hash}`;
}
