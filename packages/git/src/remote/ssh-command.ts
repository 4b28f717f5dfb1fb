import { SluiceError } from "@sluice/core";
import type { SshAccess } from "./access.ts";

/** Asks nobody, trusts no host it does not know, and notices a connection that went dead. */
const ALWAYS = [
  "-oBatchMode=yes",
  "-oStrictHostKeyChecking=yes",
  "-oConnectTimeout=20",
  "-oServerAliveInterval=15",
  "-oServerAliveCountMax=3",
];
const OWN_KEY_ONLY = ["-oIdentitiesOnly=yes", "-oIdentityAgent=none", "-oPreferredAuthentications=publickey"];

/**
 * The environment that makes git reach a host by ssh. Git hands the command to a shell, so the files' names are not in it: they
 * come as variables of their own, which a shell does not read a second time.
 * @throws USAGE for a file name that ssh would take apart.
 */
export function sshEnvironment(ssh: SshAccess): NodeJS.ProcessEnv {
  const words = ["ssh", "-F/dev/null", ...ALWAYS];
  const files: NodeJS.ProcessEnv = {};
  if (ssh.keyFile !== undefined) {
    words.push(...OWN_KEY_ONLY, '-o"$SLUICE_SSH_KEY"');
    files.SLUICE_SSH_KEY = `IdentityFile=${sshPath(ssh.keyFile)}`;
  }
  if (ssh.knownHostsFile !== undefined) {
    words.push("-oGlobalKnownHostsFile=/dev/null", '-o"$SLUICE_SSH_HOSTS"');
    files.SLUICE_SSH_HOSTS = `UserKnownHostsFile=${sshPath(ssh.knownHostsFile)}`;
  }
  return { ...files, GIT_SSH_COMMAND: words.join(" "), GIT_SSH_VARIANT: "ssh" };
}

/** For a source that says nothing of ssh: the user's own settings, but nobody is asked. */
export const PLAIN_SSH_COMMAND = ["ssh", ...ALWAYS].join(" ");

/** ssh takes a value apart at blanks unless it is quoted, and replaces `%` and `${…}` in it. */
function sshPath(file: string): string {
  if (/["\\$]|\p{Cc}/u.test(file))
    throw new SluiceError(
      "USAGE",
      `the file name ${JSON.stringify(file)} has a character that ssh does not take`,
    );
  return `"${file.replaceAll("%", "%%")}"`;
}
