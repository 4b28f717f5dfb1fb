import { type Command, Option } from "commander";
import type { EventsOptions } from "./commands/events.ts";
import type { HistoryOptions } from "./commands/history.ts";
import type { PruneOptions } from "./commands/prune.ts";
import type { PromoteOptions, RollbackOptions } from "./commands/rollback.ts";
import type { ResumeOptions, SuspendOptions } from "./commands/suspend.ts";
import type { SyncOptions } from "./commands/sync.ts";
import type { CliContext } from "./context.ts";
import { type Done, onEnvironment, onServer, output } from "./shared-options.ts";

/** Commands by which a person steers what Git alone does not say: when to look, what to leave alone, what may go. */
export function steeringCommands(program: Command, context: CliContext, done: Done): void {
  eventCommands(program, context, done);
  commitCommands(program, context, done);
  onEnvironment(program.command("sync").description("look at the branch and at what runs now"))
    .option("--wait", "follow this very sync to its end; exit 1 where it is not healthy")
    .option("--retry", "send specs again that are held after a failure")
    .option(
      "--outside-window",
      "change what the revision wants now, whatever the sync windows say, for an hour",
    )
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
      .description("say yes to removals that wait for one, after showing them. Exit 1 on a no"),
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

/** Commands that end in a commit of the deploy repo, so that its log says all that was done. */
function commitCommands(program: Command, context: CliContext, done: Done): void {
  const committing = (command: Command) =>
    onServer(command)
      .option("--why <text>", "goes into the commit's message")
      .option("-y, --yes", "do not ask")
      .option("--wait", "follow it until deployed; exit 1 where it is not healthy");
  committing(
    program
      .command("rollback")
      .description("commit what a job, or a whole environment, was at an earlier revision")
      .argument("<what>", "a job, apps/shop/web, or an environment, production")
      .requiredOption("--to <revision>", "main@sha1:3f2a9c01, or the first digits of a commit's id"),
  ).action(async (what: string, options: RollbackOptions) =>
    done(await (await import("./commands/rollback.ts")).rollback(what, options, context)),
  );
  committing(
    program
      .command("promote")
      .description("commit to one environment what another one says of a job, a file or a folder")
      .argument("<what>", "a job, apps/shop/web, or a path of the deploy repo")
      .requiredOption("--from <environment>", "where it is taken from: its newest commit")
      .requiredOption("--to <environment>", "where it is committed"),
  ).action(async (what: string, options: PromoteOptions) =>
    done(await (await import("./commands/rollback.ts")).promote(what, options, context)),
  );
}

/** The environment given as an argument counts more than the option. */
function named<T extends object>(environment: string | undefined, options: T): T {
  return environment === undefined ? options : { ...options, environment };
}
