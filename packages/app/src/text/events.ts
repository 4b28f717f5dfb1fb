import {
  type DeploymentStatus,
  displayPath,
  type FilePath,
  type JobStatus,
  type SluiceEvent,
  shortRevision,
} from "@sluice/core";
import { formatDuration } from "../config/duration.ts";
import { changeLine, problemLine } from "./changes.ts";
import { refusedLines } from "./complaints.ts";
import { GLYPH } from "./glyphs.ts";

type Lines<T extends SluiceEvent["type"]> = (event: Extract<SluiceEvent, { type: T }>) => readonly string[];

/** What each event says to a person; an empty list where it says nothing. */
const LINES: { readonly [T in SluiceEvent["type"]]: Lines<T> } = {
  "mirror.progress": (e) => [
    `${GLYPH.wait} mirroring ${shortRevision(e.revision)}: ${e.done} of ${e.total} files`,
  ],
  "mirror.synced": (e) => [
    `${GLYPH.done} mirrored ${shortRevision(e.revision)} (${count(e.created + e.updated + e.deleted, "file")}) in ${formatDuration(e.ms)}`,
  ],
  "mirror.checked": (e) => [
    `${GLYPH.done} ${shortRevision(e.revision)} is mirrored (${count(e.files, "file")}, compared in ${formatDuration(e.ms)})`,
  ],
  "mirror.waiting": (e) => [`${GLYPH.wait} the mirror waits: ${e.message}`],
  "mirror.fenced": () => [
    `${GLYPH.fail} a write was refused: another process took the lock. Nothing was written`,
  ],
  "mirror.refused": refusedLines,
  "mirror.skipped": (e) => [
    `${GLYPH.wait} left out: ${e.files.map((file) => displayPath(file as FilePath)).join(", ")}: ${e.why}`,
  ],
  "mirror.repaired": (e) => [
    `${GLYPH.done} put back ${count(e.keys, "key")} that somebody changed in the KV`,
  ],
  "mirror.failed": (e) => [`${GLYPH.fail} the mirror cannot go on: ${e.message}`],
  "mirror.recovered": () => [`${GLYPH.done} the mirror goes on`],
  "rule.missing": (e) => [`${GLYPH.fail} the ${e.role} goes on with too few rules: ${e.message}`],
  "branches.appeared": (e) => [`${GLYPH.done} the branch ${e.branch} is mirrored as ${e.name}`],
  "branches.vanished": (e) => [
    `${GLYPH.wait} the branch ${e.branch} is gone; ${e.name} is removed unless it comes back within ${formatDuration(e.graceMs)}`,
  ],
  "branches.returned": (e) => [`${GLYPH.done} the branch ${e.branch} is there again; ${e.name} stays`],
  "branches.removed": (e) => [
    `${GLYPH.done} ${e.name} is removed (${count(e.keys, "key")}): its branch ${e.branch} is gone`,
  ],
  "branches.left-out": (e) => [`${GLYPH.fail} the branch ${e.branch} is not mirrored: ${e.why}`],
  "branches.kept": (e) => [`${GLYPH.wait} ${e.names.join(", ")} ${e.reason}: ${e.message}`],
  "branches.failed": (e) => [`${GLYPH.fail} the branches cannot be looked at: ${e.message}`],
  "branches.recovered": () => [`${GLYPH.done} the branches can be looked at again`],
  "leader.elected": (e) => [`${GLYPH.done} this process leads as ${e.role}`],
  "leader.lost": (e) => [`${GLYPH.fail} this process no longer leads as ${e.role}`],
  "deployment.started": () => [],
  "deployment.planned": (e) => [
    ...e.changes.map(changeLine),
    ...(e.total > e.changes.length ? [`${GLYPH.begin} and ${e.total - e.changes.length} more`] : []),
  ],
  "deployment.finished": (e) => [outcomeLine(e.status, e.ms)],
  "deployment.superseded": (e) => [
    `${GLYPH.wait} ${shortRevision(e.revision)} gave way to ${shortRevision(e.by)}`,
  ],
  "deployment.failed": (e) => [`${GLYPH.fail} the deployer cannot go on: ${e.message}`],
  "job.applied": () => [],
  "job.adopted": (e) => [
    `${GLYPH.done} ${e.key} is taken over: it was made by ${e.from === "nobody" ? "other means" : "another Sluice engine or environment"}`,
  ],
  "job.changed": (e) => jobLines(e.status, e.ms),
  "job.pruned": (e) => [`${GLYPH.done} ${e.key} pruned`],
  "target.failed": (e) => [`${GLYPH.fail} target ${e.target}: ${e.message}`],
  "target.recovered": (e) => [`${GLYPH.done} target ${e.target} answers again`],
  "image.committed": (e) =>
    e.changes.map(
      (one) =>
        `${GLYPH.done} ${one.image}: ${one.from} → ${one.to} in ${count(one.places, "place")} (commit ${e.commit.slice(0, 8)})`,
    ),
  "image.refused": (e) => [`${GLYPH.fail} image ${e.image}: ${e.why}`],
  "image.held": (e) => [
    `${GLYPH.wait} ${e.image} ${e.version} is held: somebody went back from it; a newer one, or \`sluice image unpin\`, goes on`,
  ],
  "images.invalid": (e) => e.problems.map(problemLine),
  "images.waiting": (e) => [`${GLYPH.wait} image versions wait to be committed: ${e.message}`],
  "images.failed": (e) => [`${GLYPH.fail} image versions cannot be committed: ${e.message}`],
  "images.recovered": () => [`${GLYPH.done} image versions are committed again`],
  "build.started": (e) => [`${GLYPH.begin} ${e.app}: ${buildOf(e)}: ${e.message}`],
  "build.finished": (e) => [
    `${BUILT.has(e.state) ? GLYPH.done : GLYPH.fail} ${e.app}: ${buildOf(e)} ${e.state} in ${formatDuration(e.ms)}: ${e.message}${e.url ? ` (${e.url})` : ""}`,
  ],
  "build.waiting": (e) => [`${GLYPH.wait} ${e.app}: the build waits: ${e.message}`],
  "router.changed": (e) => [
    `${GLYPH.done} traffic goes to ${count(e.servers, "server")} of ${count(e.services, "service")} (${e.reloaded ? "reloaded" : "without a reload"}, ${formatDuration(e.ms)})`,
  ],
  "router.left-out": (e) => [`${GLYPH.fail} not routed: ${e.message}`],
  "router.held": (e) => [
    `${GLYPH.wait} ${e.service}: ${count(e.servers, "server")} vanished at once; they are kept until that is certain`,
  ],
  "router.rolled-back": (e) => [`${GLYPH.fail} the load balancer keeps its old file: ${e.message}`],
  "router.failed": (e) => [`${GLYPH.fail} the router cannot go on: ${e.message}`],
  "router.recovered": () => [`${GLYPH.done} the router goes on`],
  "registrar.changed": (e) => [
    `${GLYPH.done} ${e.node}: ${count(e.registered, "service")} registered, ${e.deregistered} deregistered`,
  ],
  "registrar.left-out": (e) => [`${GLYPH.fail} ${e.node}: not registered: ${e.message}`],
  "registrar.failed": (e) => [`${GLYPH.fail} ${e.node}: the registrar cannot go on: ${e.message}`],
  "registrar.recovered": (e) => [`${GLYPH.done} ${e.node}: the registrar goes on`],
  "builds.failed": (e) => [`${GLYPH.fail} builds cannot go on: ${e.message}`],
  "builds.recovered": () => [`${GLYPH.done} builds go on`],
  "webhook.refused": (e) => [
    `${GLYPH.fail} ${e.times === 1 ? "a webhook" : `${e.times} webhooks`} for /hooks/${e.provider} refused: ${e.why}`,
  ],
  "webhook.failed": (e) => [`${GLYPH.fail} a webhook's news cannot be passed on yet: ${e.message}`],
  "channel.failed": (e) => [`${GLYPH.wait} messages for ${e.channel} wait: ${e.message}`],
  "channel.recovered": (e) => [`${GLYPH.done} ${e.channel} takes messages again`],
  "notice.given-up": (e) => [`${GLYPH.fail} ${e.channel} was not told "${e.title}": ${e.why}`],
  "notices.failed": (e) => [`${GLYPH.fail} messages cannot be made: ${e.message}`],
  "notices.recovered": () => [`${GLYPH.done} messages are made again`],
  "record.noted": (e) => [
    `${GLYPH.done} the outcome of ${count(e.deployments, "deployment")} is noted beside ${count(e.commits.length, "commit")}`,
  ],
  "record.failed": (e) => [`${GLYPH.fail} outcomes cannot be noted in Git: ${e.message}`],
  "record.recovered": () => [`${GLYPH.done} outcomes are noted in Git again`],
};

const BUILT: ReadonlySet<string> = new Set(["succeeded", "handed-over"]);

function buildOf({ commit, ref }: { readonly commit: string; readonly ref: string }): string {
  return `the build of ${commit.slice(0, 8)} on ${ref.replace(/^refs\/heads\//, "")}`;
}

/** The event's lines for a person, without colour. */
export function eventLines(event: SluiceEvent): readonly string[] {
  return (LINES[event.type] as Lines<SluiceEvent["type"]>)(event);
}

function jobLines(status: JobStatus, ms: number | undefined): string[] {
  const took = ms === undefined ? "" : ` in ${formatDuration(ms)}`;
  if (status.sync === "Synced" && status.health === "Healthy")
    return [`${GLYPH.done} ${status.key} healthy${took}`];
  if (status.reason === "Progressing" || status.reason === "Pending") return [];
  const glyph = WAITING.has(status.reason) ? GLYPH.wait : GLYPH.fail;
  return [`${glyph} ${status.key} ${status.reason}: ${status.message}`];
}

const WAITING: ReadonlySet<string> = new Set([
  "DependencyNotReady",
  "Locked",
  "Suspended",
  "Drifted",
  "Conflict",
]);

/** How a deployment ended, and what it did. @param ms how long it took, where that is known. */
export function outcomeLine(status: DeploymentStatus, ms?: number): string {
  const { counts, state, message } = status;
  const done = (["created", "updated", "pruned"] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => `${counts[kind]} ${kind}`);
  const what = done.length > 0 ? done.join(", ") : "nothing to do";
  const revision = shortRevision(status.attempted);
  const took = ms === undefined ? "" : ` in ${formatDuration(ms)}`;
  if (state === "healthy")
    return `${GLYPH.done} ${revision}: ${counts.healthy} of ${count(counts.jobs, "job")} healthy (${what})${took}`;
  return `${GLYPH.fail} ${revision}: ${state}, ${counts.healthy} of ${count(counts.jobs, "job")} healthy (${what}): ${message}`;
}

/** `1 file`, `3 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
