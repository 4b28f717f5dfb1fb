import { SluiceError } from "@sluice/core";

// biome-ignore lint/suspicious/noControlCharactersInRegex: Git forbids exactly these
const FORBIDDEN = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|^[/-]|[/.]$|(^|\/)\.|\.lock(\/|$)|^@$|^HEAD$/;

/**
 * The branch's ref, after the rules of `git check-ref-format --branch`.
 * @throws GIT_REF_INVALID
 */
export function branchRef(branch: string): string {
  if (branch === "" || FORBIDDEN.test(branch))
    throw new SluiceError("GIT_REF_INVALID", `"${branch}" is no branch name that git accepts`);
  return `refs/heads/${branch}`;
}
