import { type BuildRecord, isFinished } from "@sluice/build-trigger";
import { SluiceError } from "@sluice/core";
import { GLYPH } from "../../text/glyphs.ts";
import { engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { machineText, type OutputFormat, tableText } from "../output.ts";

export interface BuildsOptions extends ServerOptions {
  readonly output: OutputFormat;
}

export interface BuildStartOptions extends ServerOptions {
  readonly branch: string;
  readonly commit?: string;
}

const TITLES = ["APP", "BRANCH", "COMMIT", "STATE", "ASKED AT", "WHAT"];
const BAD: ReadonlySet<string> = new Set(["failed", "aborted", "lost"]);

/** `sluice builds [APP]`: the newest first. Exit 1 where the newest build of a branch did not succeed. */
export async function builds(
  app: string | undefined,
  options: BuildsOptions,
  context: CliContext,
): Promise<ExitCode> {
  const path = app === undefined ? "/api/v1/builds" : `/api/v1/builds/${encodeURIComponent(app)}`;
  const found = (await engineClient(options, context).get<{ builds: BuildRecord[] }>(path)).builds;
  if (options.output !== "table") context.out(machineText(options.output, { builds: found }));
  else if (found.length === 0) context.out("no build was asked for yet\n");
  else context.out(tableText(TITLES, found.map(row)));
  return newestOfEach(found).some(({ state }) => BAD.has(state)) ? 1 : 0;
}

/** `sluice build start APP --branch B [--commit SHA]`: builds a commit, once more where it was built before. */
export async function buildStart(
  app: string,
  options: BuildStartOptions,
  context: CliContext,
): Promise<ExitCode> {
  const client = engineClient(options, context);
  const path = `/api/v1/builds/${encodeURIComponent(app)}`;
  const commit = options.commit ?? (await lastCommit(app, options.branch, client.get, path));
  const build = await client.post<BuildRecord>(path, { branch: options.branch, commit });
  const note = isFinished(build) ? build.state : "is asked for";
  context.out(`${GLYPH.begin} ${app}: a build of ${options.branch} ${build.commit.slice(0, 8)} ${note}\n`);
  return 0;
}

async function lastCommit(
  app: string,
  branch: string,
  get: <T>(path: string) => Promise<T>,
  path: string,
): Promise<string> {
  const { builds: known } = await get<{ builds: BuildRecord[] }>(path);
  const found = known.find(({ ref }) => ref === `refs/heads/${branch}`);
  if (found) return found.commit;
  throw new SluiceError("USAGE", `no build of ${branch} of ${app} is known; say which with --commit`);
}

function row({ app, ref, commit, state, requestedAt, message, url }: BuildRecord): string[] {
  const branch = ref.replace(/^refs\/heads\//, "");
  return [app, branch, commit.slice(0, 8), state, requestedAt, url ? `${message} (${url})` : message];
}

function newestOfEach(found: readonly BuildRecord[]): readonly BuildRecord[] {
  const newest = new Map<string, BuildRecord>();
  for (const one of found) {
    const key = `${one.app} ${one.ref}`;
    if (!newest.has(key)) newest.set(key, one);
  }
  return [...newest.values()];
}
