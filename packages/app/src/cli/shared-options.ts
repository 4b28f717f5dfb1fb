import { type Command, Option } from "commander";
import type { ExitCode } from "./context.ts";

/** Takes a command's exit code. */
export type Done = (code: ExitCode) => void;

/** `-o, --output`. */
export function output(): Option {
  return new Option("-o, --output <format>", "how to print it")
    .choices(["table", "json", "yaml"])
    .default("table");
}

/** A command that asks an engine, for one environment. */
export function onServer(command: Command): Command {
  return command
    .option("--server <url>", "the engine's address (SLUICE_SERVER)")
    .option("--token-file <file>", "file with the engine's token (or SLUICE_TOKEN)")
    .option("-e, --environment <name>", "which environment");
}

/** `onServer`, with the environment also as an argument, which counts more. */
export function onEnvironment(command: Command): Command {
  return onServer(command).argument("[environment]", "which environment, where there are several");
}
