import { type Command, Option } from "commander";
import type { EventsOptions } from "./commands/events.ts";
import type { HistoryOptions } from "./commands/history.ts";
import type { PruneOptions } from "./commands/prune.ts";
import type { ResumeOptions, SuspendOptions } from "./commands/suspend.ts";
import type { SyncOptions } from "./commands/sync.ts";
import type { CliContext } from "./context.ts";
import { type Done, onEnvironment, onServer, output } from "./shared-options.ts";

/** Commands by which a person steers what Git alone does not say: when to look, what to leave alone, what may go. */
export function steeringCommands(program: Command, context: CliContext, done: Done): void {
  eventCommands(program, context, done);
  onEnvironment(program.command("sync").description("look at the branch and at what runs now"))
    .option("--wait", "follow this very sync to its end; exit 1 where it is not healthy")
    .option("--retry", "send specs again that are held after a failure")
    .action(async (environment: string | undefined, options: SyncOptions) =>
      done(await (await import("./commands/sync.ts")).sync(named(environment, options), context)),
    );
  onEnvironment(
    program
      .command("suspend")
      .description("leave an environment, a target or a job alone until it is resumed"),
  )
    .option("--target <name>", "only this target")
    .option("--job <key>", "only this job: apps/shop/web")
    .option("--why <text>", "what others read in `sluice status`")
    .action(async (environment: string | undefined, options: SuspendOptions) =>
      done(await (await import("./commands/suspend.ts")).suspend(named(environment, options), context)),
    );
  onEnvironment(
    program.command("resume").description("lift a suspension; what changed meanwhile is deployed"),
  )
    .option("--target <name>", "that of this target")
    .option("--job <key>", "that of this job")
    .option("--all", "every one of the environment")
    .action(async (environment: string | undefined, options: ResumeOptions) =>
      done(await (await import("./commands/suspend.ts")).resume(named(environment, options), context)),
    );
  const prune = program.command("prune").description("work on jobs that Git no longer names");
  onEnvironment(
    prune
      .command("confirm")
      .description("say yes to removals beyond the limit, after showing them. Exit 1 on a no"),
  )
    .option("--target <name>", "only those of this target")
    .option("-y, --yes", "do not ask")
    .option("--wait", "follow it until they are gone")
    .action(async (environment: string | undefined, options: PruneOptions) =>
      done(await (await import("./commands/prune.ts")).confirmPrune(named(environment, options), context)),
    );
}

function eventCommands(program: Command, context: CliContext, done: Done): void {
  onServer(
    program
      .command("history")
      .description("every commit that changed a job, newest first, and how it did")
      .argument("<job>", "apps/shop/web"),
  )
    .addOption(output())
    .option("--limit <number>", "how many at the most", "20")
    .action(async (job: string, options: HistoryOptions) =>
      done(await (await import("./commands/history.ts")).history(job, options, context)),
    );
  onEnvironment(program.command("events").description("what happened lately, in an environment or in all"))
    .option("-w, --watch", "go on with what comes, through restarts of the engine")
    .option("--job <key>", "only what concerns this job: apps/shop/web")
    .option("--type <type>", "only events of this type, or that begin with it: job, deployment.finished")
    .addOption(
      new Option("-o, --output <format>", "how to print them; json: an object a line")
        .choices(["text", "json"])
        .default("text"),
    )
    .action(async (environment: string | undefined, options: EventsOptions) =>
      done(await (await import("./commands/events.ts")).events(named(environment, options), context)),
    );
}

/** The environment given as an argument counts more than the option. */
function named<T extends object>(environment: string | undefined, options: T): T {
  return environment === undefined ? options : { ...options, environment };
}
