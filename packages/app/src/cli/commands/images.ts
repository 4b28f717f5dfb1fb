import { consulKv } from "@sluice/consul";
import { systemClock } from "@sluice/core";
import { announce, fromText } from "@sluice/image-updater";
import type { ImagesView, PinView } from "../../http/images/routes.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { machineText, type OutputFormat, tableText } from "../output.ts";
import { personAt } from "../person.ts";

export interface ImageSetOptions extends ServerOptions {
  readonly by?: string;
  readonly consul?: string;
  readonly consulTokenFile?: string;
  readonly prefix: string;
}

export interface PinOptions extends ServerOptions {
  readonly why?: string;
}

export interface ImageListOptions extends ServerOptions {
  readonly output: OutputFormat;
}

/** `sluice image set NAME TAG|DIGEST`: through an engine, or straight to Consul. */
export async function imageSet(
  { name, version }: { readonly name: string; readonly version: string },
  options: ImageSetOptions,
  context: CliContext,
): Promise<ExitCode> {
  const said = { ...fromText(version), by: options.by ?? personAt(context) };
  if (options.consul === undefined)
    await engineClient(options, context).post("/api/v1/images", { image: name, ...said });
  else {
    const { consul: address, consulTokenFile: tokenFile, prefix } = options;
    const clock = systemClock;
    const kv = consulKv({ address, clock, random: Math.random, ...(tokenFile ? { tokenFile } : {}) });
    await announce({ kv, clock, prefix }, name, said, context.signal).finally(() => kv.close());
  }
  context.out(`${GLYPH.done} ${name} ${version} is announced\n`);
  return 0;
}

/** `sluice image pin NAME TAG` */
export async function imagePin(
  { name, tag }: { readonly name: string; readonly tag: string },
  options: PinOptions,
  context: CliContext,
): Promise<ExitCode> {
  const { commit } = await pinCall("pin", { image: name, tag }, options, context);
  context.out(
    commit
      ? `${GLYPH.done} ${name} is pinned to ${tag} (commit ${commit.slice(0, 8)})\n`
      : `${GLYPH.done} ${name} was pinned to ${tag} already\n`,
  );
  return 0;
}

/** `sluice image unpin NAME` */
export async function imageUnpin(name: string, options: PinOptions, context: CliContext): Promise<ExitCode> {
  const { commit, released } = await pinCall("unpin", { image: name }, options, context);
  const pin = commit ? `is not pinned any more (commit ${commit.slice(0, 8)})` : "was not pinned";
  const going = released ? "; the newest version counts again" : "";
  context.out(`${GLYPH.done} ${name} ${pin}${going}\n`);
  return 0;
}

async function pinCall(
  verb: "pin" | "unpin",
  body: object,
  options: PinOptions,
  context: CliContext,
): Promise<PinView> {
  const client = engineClient(options, context);
  const { name } = await client.environment();
  const asked = { ...body, by: personAt(context), ...(options.why ? { why: options.why } : {}) };
  return client.post<PinView>(`/api/v1/environments/${name}/images/${verb}`, asked);
}

/** `sluice image list`. Exit 1 where `deploy.yaml` has problems. */
export async function imageList(options: ImageListOptions, context: CliContext): Promise<ExitCode> {
  const client = engineClient(options, context);
  const { name } = await client.environment();
  const view = await client.get<ImagesView>(`/api/v1/environments/${name}/images`);
  if (options.output !== "table") context.out(machineText(options.output, view));
  else if (view.images.length === 0) context.out("deploy.yaml has no `images`\n");
  else
    context.out(
      tableText(
        ["IMAGE", "POLICY", "IN GIT", "NEWEST", "PLACES", ""],
        view.images.map((one) => [
          one.image,
          one.policy,
          one.versions.join(", ") || "-",
          one.newest ?? "-",
          String(one.places.length),
          one.pin ? `pinned to ${one.pin}` : one.held ? "held: somebody went back" : "",
        ]),
      ),
    );
  for (const problem of view.problems) context.err(`${GLYPH.fail} ${problem}\n`);
  return view.problems.length > 0 ? 1 : 0;
}
