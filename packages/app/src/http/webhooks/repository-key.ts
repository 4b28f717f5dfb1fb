const URL_FORM = /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?(\[[^\]]+\]|[^/:]*)(?::\d*)?\/(.*)$/i;
/** `git@host:owner/name.git`, as ssh has it. */
const SCP_FORM = /^(?:[^@/\s]+@)?([^/:\s]+):(?!\/\/)(.+)$/;

/** Hosts that also answer ssh on port 443 do so under another name. */
const SAME_HOST: ReadonlyMap<string, string> = new Map([
  ["ssh.github.com", "github.com"],
  ["altssh.gitlab.com", "gitlab.com"],
  ["altssh.bitbucket.org", "bitbucket.org"],
]);

/**
 * What two addresses of the same repository have in common: `host/owner/name` in lower case, without scheme, user, port, `.git`
 * and trailing slash. Undefined for a path of this machine. Letters' case is dropped in the path too: hosts differ there, and a
 * match too many costs one look at a branch.
 */
export function repositoryKey(address: string): string | undefined {
  const [, host = "", path = ""] = URL_FORM.exec(address.trim()) ?? SCP_FORM.exec(address.trim()) ?? [];
  if (host === "") return undefined;
  const name = decoded(path.split(/[?#]/, 1)[0] ?? "")
    .toLowerCase()
    .replace(/^\/+|\/+$/g, "")
    .replace(/\.git$/, "")
    .replace(/\/{2,}/g, "/");
  const lower = host.toLowerCase();
  return name === "" ? undefined : `${SAME_HOST.get(lower) ?? lower}/${name}`;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
