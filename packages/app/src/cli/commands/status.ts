import { type JobStatus, type Revision, SluiceError, shortRevision, suggest } from "@sluice/core";
import { formatDuration } from "../../config/duration.ts";
import type { EnvironmentView } from "../../http/api.ts";
import { complaintLines, refusedLines } from "../../text/complaints.ts";
import { GLYPH } from "../../text/glyphs.ts";
import { suspendedLine } from "../../text/suspended.ts";
import { type EngineClient, engineClient } from "../client.ts";
import type { CliContext, ExitCode, ServerOptions } from "../context.ts";
import { healthText, machineText, type OutputFormat, syncText, tableText } from "../output.ts";

export interface StatusOptions extends ServerOptions {
  readonly output: OutputFormat;
  readonly watch?: boolean;
  readonly target?: string;
}

type Unreadable = { readonly key: string; readonly problem: string };
interface EnvironmentStatus extends EnvironmentView {
  readonly jobs: readonly (JobStatus | Unreadable)[];
}

const WATCH_MS = 1_000;

/** `sluice status [JOB]`: both axes, revision, reason and age of every job. 1 where something is not synced and healthy. */
export async function status(
  job: string | undefined,
  options: StatusOptions,
  context: CliContext,
): Promise<ExitCode> {
  const client = engineClient(options, context);
  let shown = "";
  for (;;) {
    const environments = pick(ofTarget(await readAll(client, options), options.target), job);
    const text =
      options.output === "table"
        ? describe(environments, job !== undefined)
        : machineText(options.output, forPrograms(environments, job));
    if (text !== shown) context.out(options.watch && context.tty ? `\u001b[2J\u001b[H${text}` : text);
    shown = text;
    if (!options.watch || context.signal.aborted) return environments.every(isFine) ? 0 : 1;
    await new Promise((resolve) => setTimeout(resolve, WATCH_MS));
    if (context.signal.aborted) return 0;
  }
}

async function readAll(client: EngineClient, { environment }: ServerOptions): Promise<EnvironmentStatus[]> {
  const { environments } = await client.get<{ environments: EnvironmentView[] }>("/api/v1/environments");
  const wanted = environments.filter((one) => environment === undefined || one.name === environment);
  if (wanted.length === 0 && environment !== undefined)
    throw new SluiceError(
      "NOT_FOUND",
      `there is no environment "${environment}"; there are ${environments.map((one) => one.name).join(", ")}`,
    );
  return Promise.all(wanted.map((one) => client.get<EnvironmentStatus>(`/api/v1/environments/${one.name}`)));
}

/** The jobs of one target only. @throws NOT_FOUND where no environment has it. */
function ofTarget(
  environments: readonly EnvironmentStatus[],
  target: string | undefined,
): readonly EnvironmentStatus[] {
  if (target === undefined) return environments;
  const having = environments.filter(({ targets }) => Object.hasOwn(targets, target));
  const known = [...new Set(environments.flatMap(({ targets }) => Object.keys(targets)))];
  if (having.length === 0)
    throw new SluiceError("NOT_FOUND", `there is no target "${target}"${suggest(target, known)}`);
  return having.map((one) => ({ ...one, jobs: one.jobs.filter(({ key }) => key.startsWith(`${target}/`)) }));
}

function pick(
  environments: readonly EnvironmentStatus[],
  job: string | undefined,
): readonly EnvironmentStatus[] {
  if (job === undefined) return environments;
  const found = environments
    .map((one) => ({ ...one, jobs: one.jobs.filter((status) => status.key === job) }))
    .filter((one) => one.jobs.length > 0);
  if (found.length > 0) return found;
  const known = environments.flatMap((one) => one.jobs.map((status) => status.key));
  throw new SluiceError("NOT_FOUND", `there is no job "${job}"${suggest(job, known)}`);
}

function forPrograms(environments: readonly EnvironmentStatus[], job: string | undefined): unknown {
  return job === undefined
    ? { environments }
    : environments.flatMap((one) => one.jobs.map((status) => ({ environment: one.name, ...status })));
}

function isFine({ deploys, jobs, deployment, marker, refused }: EnvironmentStatus): boolean {
  return (
    refused === undefined &&
    marker !== undefined &&
    (deployment !== undefined || !deploys) &&
    (deployment === undefined || complaintLines(deployment).length === 0) &&
    jobs.every((one) => "sync" in one && one.sync === "Synced" && one.health === "Healthy")
  );
}

function describe(environments: readonly EnvironmentStatus[], detailed: boolean): string {
  return environments
    .map(
      (one) => `${[headline(one), ...notices(one)].join("\n")}\n${detailed ? details(one) : jobTable(one)}`,
    )
    .join("\n");
}

function notices({ suspended, problem, deployment, refused }: EnvironmentStatus): string[] {
  const complaints = deployment ? complaintLines(deployment) : [];
  return [
    ...(problem ? [`${GLYPH.fail} ${problem}`] : []),
    ...(refused ? refusedLines(refused) : []),
    ...complaints,
    ...suspended.map(suspendedLine),
  ];
}

function headline({ name, deploys, marker, deployment }: EnvironmentStatus): string {
  if (!marker) return `${GLYPH.wait} ${name}: nothing is mirrored yet; push to its deploy repo`;
  if (!deploys) return `${GLYPH.done} ${name}: ${shortRevision(marker.revision)} is mirrored`;
  if (!deployment)
    return `${GLYPH.wait} ${name}: ${shortRevision(marker.revision)} is mirrored, nothing is deployed yet`;
  const glyph =
    deployment.state === "healthy"
      ? GLYPH.done
      : deployment.state === "progressing"
        ? GLYPH.begin
        : GLYPH.fail;
  const { counts } = deployment;
  const applied =
    deployment.applied && deployment.applied !== deployment.attempted
      ? `, last healthy ${shortRevision(deployment.applied)}`
      : "";
  return `${glyph} ${name}: ${shortRevision(deployment.attempted)} ${deployment.state}, ${counts.healthy} of ${counts.jobs} jobs healthy${applied}`;
}

const TITLES = ["JOB", "SYNC", "HEALTH", "REVISION", "AGE", "REASON", "MESSAGE"];

function jobTable({ jobs }: EnvironmentStatus): string {
  if (jobs.length === 0) return "";
  const rows = jobs.map((one) =>
    "sync" in one
      ? [
          one.key,
          syncText(one.sync),
          healthText(one.health),
          revisionText(one.applied),
          age(one.since),
          one.reason,
          one.message,
        ]
      : [one.key, "?", "?", "", "", "", one.problem],
  );
  return tableText(TITLES, rows);
}

function details({ jobs }: EnvironmentStatus): string {
  return jobs
    .map((one) => {
      if (!("sync" in one)) return `${one.key}: ${one.problem}\n`;
      const rows = [
        ["job", one.key],
        ["file", one.file ?? ""],
        ["sync", syncText(one.sync)],
        ["health", healthText(one.health)],
        ["reason", one.reason],
        ["message", one.message],
        ["attempted", one.attempted ?? ""],
        ["applied", one.applied ?? ""],
        ["since", `${one.since} (${age(one.since)})`],
        ...(one.owner ? [["owner", one.owner]] : []),
        ...(one.adopted ? [["adopted", `${shortRevision(one.adopted)}: Sluice did not make this job`]] : []),
      ];
      return rows.map(([label, value]) => `  ${label?.padEnd(10)} ${value}\n`).join("");
    })
    .join("\n");
}

function revisionText(revision: Revision | undefined): string {
  return revision ? shortRevision(revision) : "-";
}

function age(since: string): string {
  return formatDuration(Math.max(0, Math.floor((Date.now() - Date.parse(since)) / 1_000) * 1_000))
    .replace(/^0ms$/, "0s")
    .replace(/\.0s$/, "s");
}
