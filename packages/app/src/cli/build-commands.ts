import { type Command, Option } from "commander";
import type { BuildStartOptions, BuildsOptions } from "./commands/builds.ts";
import type { CliContext, ExitCode } from "./context.ts";

/** Adds `sluice builds` and `sluice build start`. */
export function buildCommands(
  program: Command,
  onServer: (command: Command) => Command,
  context: CliContext,
  done: (code: ExitCode) => void,
): void {
  onServer(
    program
      .command("builds")
      .description(
        "builds that pushes asked for, newest first. Exit 1 where a branch's newest did not succeed",
      )
      .argument("[app]"),
  )
    .addOption(
      new Option("-o, --output <format>", "how to print it")
        .choices(["table", "json", "yaml"])
        .default("table"),
    )
    .action(async (app: string | undefined, options: BuildsOptions) =>
      done(await (await import("./commands/builds.ts")).builds(app, options, context)),
    );
  const start = program
    .command("build")
    .description("work on builds")
    .command("start")
    .description("ask for a build, once more where the commit was built before")
    .argument("<app>");
  onServer(start)
    .requiredOption("-b, --branch <name>", "the branch")
    .option("--commit <sha>", "the commit, 40 hex digits; without it, the one that was built last")
    .action(async (app: string, options: BuildStartOptions) =>
      done(await (await import("./commands/builds.ts")).buildStart(app, options, context)),
    );
}
