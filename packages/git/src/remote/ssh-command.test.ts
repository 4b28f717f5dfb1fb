import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { sshEnvironment } from "./ssh-command.ts";

describe("the ssh command", () => {
  it("has no file's name in it, and what a shell makes of it is one word each", () => {
    const keyFile = "/keys/it's; $(touch x) `id` & 100%/key".replace("$(touch x)", "(touch x)");
    const env = sshEnvironment({ keyFile, knownHostsFile: "/known hosts" });
    expect(env.GIT_SSH_COMMAND).not.toContain("keys");
    const printed = execFileSync("sh", ["-c", `${env.GIT_SSH_COMMAND?.replace("ssh", "printf '%s\\n'")}`], {
      env: { ...process.env, ...env },
    });
    const words = printed.toString().trimEnd().split("\n");
    expect(words.slice(-4)).toEqual([
      "-oPreferredAuthentications=publickey",
      `-oIdentityFile="/keys/it's; (touch x) \`id\` & 100%%/key"`,
      "-oGlobalKnownHostsFile=/dev/null",
      '-oUserKnownHostsFile="/known hosts"',
    ]);
  });

  it.each([['/a"b'], ["/a\\b"], ["/$HOME/key"], ["/a\nb"]])("is not made of the file name %j", (keyFile) => {
    expect(() => sshEnvironment({ keyFile })).toThrowError(expect.objectContaining({ code: "USAGE" }));
  });
});
