import type { GitProgram } from "../program.ts";
import type { Credential, RemoteAccess } from "./access.ts";
import { sshEnvironment } from "./ssh-command.ts";

/**
 * The environment that tells git how to reach the remote. Nothing of it is on the command line, which every user of the machine
 * can read, nor in the clone's configuration, which stays.
 */
export function accessEnvironment(
  access: RemoteAccess,
  { authorization }: Credential,
  silenceMs: number,
): NodeJS.ProcessEnv {
  const settings: [string, string][] = [
    // A connection that brings nothing at all is dead, however much time the fetch may take.
    ["http.lowSpeedLimit", "1"],
    ["http.lowSpeedTime", String(Math.ceil(silenceMs / 1000))],
  ];
  if (authorization !== undefined) {
    settings.push(["http.extraHeader", `Authorization: ${authorization}`]);
    // Git would send the header along to wherever it is sent on to.
    settings.push(["http.followRedirects", "false"]);
  }
  const files = Object.entries(TLS_VARIABLES).flatMap(([name, variable]) => {
    const file = access[name as keyof typeof TLS_VARIABLES];
    return file === undefined ? [] : [[variable, file]];
  });
  return {
    ...configEnvironment(settings),
    ...Object.fromEntries(files),
    ...(access.ssh ? sshEnvironment(access.ssh) : {}),
  };
}

/** Git prefers these to its settings, so ours must be there and not among the settings. */
const TLS_VARIABLES = { ca: "GIT_SSL_CAINFO", cert: "GIT_SSL_CERT", key: "GIT_SSL_KEY" } as const;

/** What the machine's own environment says of certificates counts where the configuration says nothing. */
export function withMachineTls(access: RemoteAccess, env: NodeJS.ProcessEnv): RemoteAccess {
  const given = Object.entries(TLS_VARIABLES).flatMap(([name, variable]) =>
    env[variable] ? [[name, env[variable]]] : [],
  );
  return { ...Object.fromEntries(given), ...access };
}

/** Git's settings by the environment (git-scm.com/docs/git-config#ENVIRONMENT). */
function configEnvironment(settings: readonly [string, string][]): NodeJS.ProcessEnv {
  const pairs = settings.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(settings.length), ...Object.fromEntries(pairs) };
}

/** Git knows more of proxies, certificates and rewritten addresses than we do: where any of them is set, it is asked. */
export function canAskItself({ env }: Pick<GitProgram, "env">, url: string): boolean {
  if (!/^https?:/i.test(url)) return false;
  const set = (name: string) => env[name] !== undefined && env[name] !== "" && env[name] !== "/dev/null";
  return !Object.keys(env).some(
    (name) => /^((https?|all)_proxy|GIT_CONFIG_GLOBAL|GIT_SSL_CAPATH)$/i.test(name) && set(name),
  );
}
