import { readFileSync } from "node:fs";
import { SluiceError } from "@sluice/core";
import { loadConfig } from "../config/load.ts";

/** Where a command reads from and writes to; tests pass their own. */
export interface CliContext {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Aborts on Ctrl-C and on a request to terminate. */
  readonly signal: AbortSignal;
  /** True where a person's terminal reads the output. */
  readonly tty: boolean;
  /** Answers a question in a person's place; absent: the person at the terminal is asked. */
  readonly ask?: (question: string) => Promise<string>;
}

/** 0: done, nothing differs. 1: something differs or is not healthy. 2: an error. */
export type ExitCode = 0 | 1 | 2;

/** Which engine a command talks to. */
export interface ServerOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly environment?: string;
}

/** --server, else SLUICE_SERVER, else what `sluice.yaml` in this folder says, else the default port on this machine. */
export function serverAddress(options: ServerOptions, { cwd, env }: CliContext): string {
  const given = options.server ?? env.SLUICE_SERVER;
  if (given) return given.replace(/\/+$/, "");
  const { config } = loadConfig(undefined, cwd);
  const host = config.http.host === "0.0.0.0" || config.http.host === "::" ? "127.0.0.1" : config.http.host;
  return `http://${host}:${config.http.port}`;
}

/** The token for an engine that wants one: --token-file, else SLUICE_TOKEN. */
export function serverToken(options: ServerOptions, { env }: CliContext): string | undefined {
  if (!options.tokenFile) return env.SLUICE_TOKEN;
  try {
    return readFileSync(options.tokenFile, "utf8").trim();
  } catch (cause) {
    throw new SluiceError("USAGE", `cannot read the token file ${options.tokenFile}`, { cause });
  }
}
