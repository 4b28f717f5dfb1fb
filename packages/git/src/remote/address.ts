import { SluiceError } from "@sluice/core";

/** Where a remote repository is, with what must not be shown kept apart. */
export interface RemoteAddress {
  /** The URL without a password; also without a user name for http. */
  readonly url: string;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
}

const URL_FORM = /^([a-z][a-z0-9+.-]*):\/\//i;
/** `git@host:path`, as ssh has it. The host has two letters at least, so that `C:\repo` is a path. */
const SCP_FORM = /^(?:\w[\w.-]*@)?\w[\w.-]+:(?!\/\/)[^-]/;
/** `ext::…`: a program of that name is run to reach the repository. */
const HELPER_FORM = /^[\w+.-]+::/;
const SCHEMES = ["http", "https", "ssh", "git", "file"];

/**
 * The address, or undefined for a path of this machine.
 * @throws USAGE for a URL of a scheme that is not allowed, or that is none.
 */
export function remoteAddress(repository: string): RemoteAddress | undefined {
  if (HELPER_FORM.test(repository))
    throw new SluiceError("USAGE", "a repository that is reached through a helper program is not allowed");
  const scheme = URL_FORM.exec(repository)?.[1]?.toLowerCase();
  if (scheme === undefined)
    return SCP_FORM.test(repository) ? { url: repository, credentials: undefined } : undefined;
  if (!SCHEMES.includes(scheme))
    throw new SluiceError(
      "USAGE",
      `a repository's URL may start with ${SCHEMES.join(", ")}; "${scheme}" is none`,
    );
  if (!scheme.startsWith("http")) return { url: repository, credentials: undefined };
  if (!URL.canParse(repository)) throw new SluiceError("USAGE", "the repository's URL cannot be read");
  const url = new URL(repository);
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  url.username = "";
  url.password = "";
  return { url: url.href, credentials: username || password ? { username, password } : undefined };
}
