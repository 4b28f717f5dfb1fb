import { spawn } from "node:child_process";
import { SluiceError } from "@sluice/core";

const LONGEST_MS = 30_000;
const MOST_OUTPUT = 64 * 1024;

/** Runs a program without a shell. @throws BALANCER_FAILED where it cannot be run, or takes longer than half a minute. */
export function runProgram(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, LONGEST_MS);
    const stop = () => child.kill("SIGKILL");
    signal.addEventListener("abort", stop, { once: true });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-MOST_OUTPUT);
      });
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    };
    child.once("error", (cause: NodeJS.ErrnoException) => {
      settle();
      reject(new SluiceError("BALANCER_FAILED", `${program} cannot be run: ${cause.code ?? cause.message}`));
    });
    child.once("close", (code) => {
      settle();
      if (signal.aborted) reject(signal.reason as Error);
      else if (late)
        reject(new SluiceError("BALANCER_FAILED", `${program} took longer than ${LONGEST_MS / 1000} s`));
      else resolve({ code: code ?? 1, output });
    });
  });
}
