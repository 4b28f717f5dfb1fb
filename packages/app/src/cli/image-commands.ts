import type { Command } from "commander";
import type { ImageListOptions, ImageSetOptions, PinOptions } from "./commands/images.ts";
import type { CliContext } from "./context.ts";
import { type Done, onServer, output } from "./shared-options.ts";

const NAME = ["<name>", "the image's name: registry.example:5000/shop/web"] as const;

/** Adds `sluice image set|pin|unpin|list`. */
export function imageCommands(program: Command, context: CliContext, done: Done): void {
  const image = program.command("image").description("work on images that jobs run");
  onServer(
    image
      .command("set")
      .description(
        "announce a version of an image, as CI does after pushing it; policies decide what follows",
      )
      .argument(...NAME)
      .argument("<version>", "a tag, a digest, or tag@digest"),
  )
    .option("--by <text>", "who says so, such as the build's address")
    .option("--consul <url>", "write to this Consul, with no engine in between")
    .option("--consul-token-file <file>", "file with the token for that Consul")
    .option("--prefix <prefix>", "with --consul: prefix of Sluice's keys", "sluice")
    .action(async (name: string, version: string, options: ImageSetOptions) =>
      done(await (await import("./commands/images.ts")).imageSet({ name, version }, options, context)),
    );
  onServer(
    image
      .command("pin")
      .description("commit to deploy.yaml that an image stays at a tag, whatever is newer")
      .argument(...NAME)
      .argument("<tag>"),
  )
    .option("--why <text>", "goes into the commit's message")
    .action(async (name: string, tag: string, options: PinOptions) =>
      done(await (await import("./commands/images.ts")).imagePin({ name, tag }, options, context)),
    );
  onServer(
    image
      .command("unpin")
      .description(
        "take an image's pin off, and let it go on to the newest version that somebody went back from",
      )
      .argument(...NAME),
  )
    .option("--why <text>", "goes into the commit's message")
    .action(async (name: string, options: PinOptions) =>
      done(await (await import("./commands/images.ts")).imageUnpin(name, options, context)),
    );
  onServer(image.command("list").description("the images that deploy.yaml has a policy for"))
    .addOption(output())
    .action(async (options: ImageListOptions) =>
      done(await (await import("./commands/images.ts")).imageList(options, context)),
    );
}
