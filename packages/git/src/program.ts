import { messageOf, redact, SluiceError } from "@sluice/core";
import { execa } from "execa";

export interface GitProgram {
  /** The program's name or path. */
  readonly git: string;
  /** How long one command may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly env: NodeJS.ProcessEnv;
}

/** What git may see of our environment: how to find programs, proxies, keys and certificates, and nothing else. */
const PASSED_ON =
  /^(PATH|HOME|USER|LOGNAME|TMPDIR|LD_LIBRARY_PATH|SYSTEMROOT|SSH_AUTH_SOCK|SSL_CERT_(FILE|DIR)|GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_CAINFO|SSL_CAPATH|SSL_CERT|SSL_KEY|EXEC_PATH|CONFIG_GLOBAL))$|^(https?|all|no)_proxy$/i;

/** An environment in which git asks nobody, reads no configuration but the repository's, and speaks English. */
export function gitEnvironment(from: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const passed = Object.fromEntries(Object.entries(from).filter(([name]) => PASSED_ON.test(name)));
  return {
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_SSH_COMMAND: "ssh -oBatchMode=yes",
    ...passed,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
    GIT_OPTIONAL_LOCKS: "0",
    // Transports that run programs named in a URL (`ext::`) stay off.
    GIT_ALLOW_PROTOCOL: "http:https:ssh:git:file",
    LC_ALL: "C",
  };
}

/**
 * Runs one git command and returns what it wrote.
 * @throws GIT_FAILED with git's own last words, credentials taken out; GIT_MISSING where there is no such program.
 */
export async function runGit(
  program: GitProgram,
  args: readonly string[],
  options: {
    readonly env?: NodeJS.ProcessEnv;
    readonly secrets?: readonly string[];
    readonly signal?: AbortSignal;
  } = {},
): Promise<string> {
  options.signal?.throwIfAborted();
  const result = await execa(program.git, [...args], {
    env: { ...program.env, ...options.env },
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    timeout: program.timeoutMs,
    forceKillAfterDelay: 1000,
    ...(options.signal ? { cancelSignal: options.signal } : {}),
  });
  if (result.exitCode === 0) return result.stdout;
  options.signal?.throwIfAborted();
  if (result.code === "ENOENT") throw new SluiceError("GIT_MISSING", `there is no program "${program.git}"`);
  const command = args.find((arg) => /^[a-z]/.test(arg) && !arg.includes("=")) ?? "";
  const why = result.timedOut
    ? `took longer than ${program.timeoutMs} ms`
    : `failed: ${lastWords(result.stderr) || messageOf(result.cause ?? result.shortMessage)}`;
  throw new SluiceError("GIT_FAILED", redact(`git ${command} ${why}`, options.secrets));
}

/** True where the program can be run. */
export async function hasGit(program: GitProgram): Promise<boolean> {
  return runGit(program, ["--version"]).then(
    () => true,
    () => false,
  );
}

function lastWords(stderr: string): string {
  return stderr.trim().split("\n").slice(-4).join("; ").slice(-600);
}
