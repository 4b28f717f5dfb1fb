import { SluiceError } from "@sluice/core";
import type { Balancer } from "./balancer.ts";
import { runProgram } from "./program.ts";

export interface CommandsOptions {
  /** Words of a command that ends with 0 where the file can be used; `{file}` stands for it: `nginx -t -c {file}`. */
  readonly check: readonly string[];
  /** Words of a command that makes the balancer read its file anew. */
  readonly reload: readonly string[];
}

/** Any balancer that is told by commands: nginx, and others. It is reloaded for every change. */
export function commands({ check, reload }: CommandsOptions): Balancer {
  let structure: string | undefined;
  async function run(words: readonly string[], file: string, signal: AbortSignal) {
    const [program = "", ...args] = words.map((word) => word.replaceAll("{file}", file));
    return runProgram(program, args, signal);
  }
  return {
    async check(file, signal) {
      const { code, output } = await run(check, file, signal);
      return { refusal: code === 0 ? undefined : output.trim().slice(-1_000) };
    },
    async reload(wanted, signal) {
      const { code, output } = await run(reload, "", signal);
      if (code !== 0)
        throw new SluiceError(
          "BALANCER_FAILED",
          `${reload[0]} ended with ${code}: ${output.trim().slice(-500)}`,
        );
      structure = wanted;
    },
    loaded: async () => ({ structure }),
  };
}
