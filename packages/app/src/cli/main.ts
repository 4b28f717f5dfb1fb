import { readFileSync } from "node:fs";
import { isSluiceError, messageOf } from "@sluice/core";
import { Command, CommanderError, Option } from "commander";
import { GLYPH } from "../text/glyphs.ts";
import { buildCommands } from "./build-commands.ts";
import type { BranchesOptions } from "./commands/branches.ts";
import type { DemoOptions } from "./commands/demo.ts";
import type { DiffOptions } from "./commands/diff.ts";
import type { DoctorOptions } from "./commands/doctor.ts";
import type { HookInstallOptions } from "./commands/hook.ts";
import type { ImportOptions } from "./commands/import.ts";
import type { StatusOptions } from "./commands/status.ts";
import type { UpOptions } from "./commands/up.ts";
import type { ValidateOptions } from "./commands/validate.ts";
import type { CliContext, ExitCode, ServerOptions } from "./context.ts";
import { imageCommands } from "./image-commands.ts";
import { type Done, onServer, output } from "./shared-options.ts";
import { steeringCommands } from "./steering.ts";

/** Runs one command line. Every command is loaded when it is asked for, so that a small one starts fast. */
export async function run(args: readonly string[], overrides: Partial<CliContext> = {}): Promise<ExitCode> {
  const context = { ...processContext(), ...overrides };
  let exit: ExitCode = 0;
  const program = commands(context, (code) => {
    exit = code;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const hint = isSluiceError(error) ? `\n  ${error.hint}` : "";
    const code = isSluiceError(error) ? ` [${error.code}]` : "";
    context.err(`${GLYPH.fail} ${messageOf(error)}${code}${hint}\n`);
    return 2;
  }
}

function processContext(): CliContext {
  const stopping = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => stopping.abort());
  return {
    cwd: process.cwd(),
    env: process.env,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    signal: stopping.signal,
    tty: process.stdout.isTTY === true,
  };
}

function commands(context: CliContext, done: (code: ExitCode) => void): Command {
  const program = new Command("sluice")
    .description("GitOps for Consul, Marathon and Chronos: what runs is what Git says")
    .version(version())
    .exitOverride()
    .configureOutput({ writeOut: context.out, writeErr: context.err })
    .showSuggestionAfterError();
  engineCommands(program, context, done);
  repositoryCommands(program, context, done);
  questionCommands(program, context, done);
  steeringCommands(program, context, done);
  imageCommands(program, context, done);
  buildCommands(program, onServer, context, done);
  return program;
}

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function engineCommands(program: Command, context: CliContext, done: Done): void {
  program
    .command("up")
    .description("run the engine, or some of its roles: consul, marathon, chronos, mirror, deployer, http")
    .argument("[roles...]")
    .option("-c, --config <file>", "configuration file (default: sluice.yaml where there is one)")
    .addOption(new Option("--log <format>", "how to log").choices(["text", "json", "none"]).default("text"))
    .action(async (roles: string[], options: UpOptions) =>
      done(await (await import("./commands/up.ts")).up(roles, options, context)),
    );
  program
    .command("demo")
    .description("run everything on this machine with an example shop, and deploy it with a real git push")
    .option("--once", "stop when every job is healthy and the shop has answered; non-zero where it does not")
    .option("--port <number>", "first of four ports to use; 0: any that are free", "7420")
    .option("--data <folder>", "where to keep it (default: a temporary folder)")
    .action(async (options: DemoOptions) =>
      done(await (await import("./commands/demo.ts")).demo(options, context)),
    );
  program
    .command("doctor")
    .description("check everything an engine here needs")
    .option("-c, --config <file>", "configuration file")
    .option("--server <url>", "the engine's address (SLUICE_SERVER)")
    .action(async (options: DoctorOptions) =>
      done(await (await import("./commands/doctor.ts")).doctor(options, context)),
    );
}

function repositoryCommands(program: Command, context: CliContext, done: Done): void {
  program
    .command("init")
    .description("write a commented sluice.yaml and the first files of a deploy repo")
    .argument("[folder]", "where", ".")
    .action(async (folder: string) => done(await (await import("./commands/init.ts")).init(folder, context)));
  program
    .command("validate")
    .description("check the job files of a deploy repo's work tree; needs no engine")
    .argument("[path]", "the work tree", ".")
    .option("-c, --config <file>", "configuration file that names the targets")
    .option("-e, --environment <name>", "which environment's targets")
    .option("-t, --target <name=type...>", "targets, instead of a configuration's", [])
    .addOption(output())
    .action(async (path: string, options: ValidateOptions) =>
      done(await (await import("./commands/validate.ts")).validate(path, options, context)),
    );
  program
    .command("import")
    .description("turn another tool's configuration into a sluice.yaml")
    .command("git2consul")
    .description("git2consul's JSON file; keys stay where they are. Exit 1 where something needs your eye")
    .argument("<file>")
    .option("--out <file>", "write it there instead of printing it; never overwrites")
    .action(async (file: string, options: ImportOptions) =>
      done(await (await import("./commands/import.ts")).importGit2Consul(file, options, context)),
    );
  const install = program
    .command("hook")
    .description("work on a repository's hooks")
    .command("install")
    .description(
      "check a deploy repo's pushes before they are taken, and follow them until healthy; with --ci, let an app's pushes begin builds",
    )
    .argument("<repository>");
  onServer(install)
    .option("--offline <what>", "accept or refuse pushes while no engine answers", "accept")
    .option(
      "--repository <name>",
      "the repository as the engine's configuration names it, where that differs",
    )
    .option("--ci", "the repository is an app's: what is pushed to it is built")
    .option(
      "--app <name>",
      "the app as `builds` in the engine's configuration names it (default: the repository's name)",
    )
    .action(async (path: string, options: HookInstallOptions) =>
      done(await (await import("./commands/hook.ts")).hookInstall(path, options, context)),
    );
}

function questionCommands(program: Command, context: CliContext, done: Done): void {
  onServer(program.command("branches").description("branches that have an environment of their own"))
    .addOption(output())
    .option("--remove <environment>", "what was mirrored of this one may go now: its branch is gone for good")
    .action(async (options: BranchesOptions) =>
      done(await (await import("./commands/branches.ts")).branches(options, context)),
    );
  onServer(
    program
      .command("status")
      .description("every job: in sync, healthy, and if not, why. Exit 1 where one is not")
      .argument("[job]", "one job: apps/shop/web"),
  )
    .addOption(output())
    .option("--target <name>", "only the jobs of this target")
    .option("-w, --watch", "keep showing it")
    .action(async (job: string | undefined, options: StatusOptions) =>
      done(await (await import("./commands/status.ts")).status(job, options, context)),
    );
  onServer(
    program
      .command("diff")
      .description("what the newest commit would change right now. Exit 1 where anything"),
  )
    .addOption(output())
    .action(async (options: DiffOptions) =>
      done(await (await import("./commands/diff.ts")).diff(options, context)),
    );
  onServer(
    program
      .command("wait")
      .description("follow the newest commit until it is deployed; exit 1 where it is not healthy"),
  ).action(async (options: ServerOptions) =>
    done(await (await import("./commands/sync.ts")).wait(options, context)),
  );
}
