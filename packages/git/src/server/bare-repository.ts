import fs from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "@sluice/core";
import { gitEnvironment, gitVersion, runGit } from "../program.ts";
import { branchRef } from "../refs/branch-name.ts";
import { isRepository } from "../refs/git-dir.ts";

/**
 * Makes an empty bare repository for people to push to; one that is there already is left as it is.
 * @throws GIT_FAILED, GIT_REF_INVALID.
 */
export async function initBareRepository(
  path: string,
  options: { readonly defaultBranch: string; readonly git?: string },
): Promise<void> {
  const { defaultBranch } = options;
  branchRef(defaultBranch);
  if (await isRepository(path)) return;
  const program = { git: options.git ?? "git", timeoutMs: 60_000, env: gitEnvironment(), clock: systemClock };
  if ((await gitVersion(program)) !== undefined) {
    const how = ["--quiet", "--bare", "--template=", `--initial-branch=${defaultBranch}`];
    await runGit(program, ["init", ...how, "--", path]);
  } else {
    const { default: git } = await import("isomorphic-git");
    await git.init({ fs, gitdir: path, bare: true, defaultBranch });
  }
  await mkdir(join(path, "hooks"), { recursive: true });
}
