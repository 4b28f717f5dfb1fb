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
  if (access.ca !== undefined) settings.push(["http.sslCAInfo", access.ca]);
  if (access.cert !== undefined) settings.push(["http.sslCert", access.cert]);
  if (access.key !== undefined) settings.push(["http.sslKey", access.key]);
  return { ...configEnvironment(settings), ...(access.ssh ? sshEnvironment(access.ssh) : {}) };
}

/** Git's settings by the environment (git-scm.com/docs/git-config#ENVIRONMENT). */
function configEnvironment(settings: readonly [string, string][]): NodeJS.ProcessEnv {
  const pairs = settings.flatMap(([key, value], at) => [
    [`GIT_CONFIG_KEY_${at}`, key],
    [`GIT_CONFIG_VALUE_${at}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(settings.length), ...Object.fromEntries(pairs) };
}
