import {
  type CommitId,
  decodeRecord,
  isSluiceError,
  type JobKey,
  type JobStatus,
  type KvEntry,
  type Problem,
  parseRevision,
  type Revision,
  SluiceError,
} from "@sluice/core";
import type { FastifyInstance } from "fastify";
import type { Environment } from "../engine/environment.ts";
import { readEventLog } from "../engine/event-log.ts";
import { commitRoutes } from "./commits/routes.ts";
import type { HttpContext } from "./context.ts";
import { controlRoutes, orProblem } from "./controls/routes.ts";
import { type SuspendedView, suspendedViews } from "./controls/suspension.ts";
import { diffOf } from "./diff.ts";
import { findEnvironment } from "./find.ts";
import { follow } from "./follow.ts";
import { historyOf } from "./history/history.ts";
import { sendLines } from "./lines.ts";
import { openApiDocument } from "./openapi/document.ts";

/** How long `sync --wait` and `wait` follow a deployment at the most. */
const FOLLOW_MS = 60 * 60_000;

const MOST_HISTORY = 1_000;

/** What is known of an environment, as the API tells it. */
export interface EnvironmentView {
  readonly name: string;
  readonly repository: string;
  readonly branch: string;
  /** The environment of several branches it is one of. */
  readonly pattern: string | undefined;
  /** False: it is mirrored, and nothing is deployed from it. */
  readonly deploys: boolean;
  /** Kind of scheduler by target. */
  readonly targets: Readonly<Record<string, string>>;
  readonly marker: ReturnType<typeof decodeRecord<"marker">> | undefined;
  readonly deployment: ReturnType<typeof decodeRecord<"deployment">> | undefined;
  /** What people suspended, the widest first. */
  readonly suspended: readonly SuspendedView[];
  /** The newest commit, where the mirror refused it and the revision before it stays. */
  readonly refused: { readonly revision: Revision; readonly problems: readonly Problem[] } | undefined;
  /** A record somebody wrote over by hand. */
  readonly problem: string | undefined;
}

/** `/api/v1/…` */
export function apiRoutes(app: FastifyInstance, context: HttpContext): void {
  const { environments, kv, clock, signal } = context;
  controlRoutes(app, context);
  commitRoutes(app, context);
  const find = (name: string) => findEnvironment(environments, name);

  app.get("/api/v1/openapi.json", async () => openApiDocument());

  app.get("/api/v1/environments", async () => ({
    environments: await Promise.all(environments.map((one) => view(one, context))),
  }));

  app.get<{ Params: { name: string } }>("/api/v1/environments/:name", async ({ params }) => {
    const environment = find(params.name);
    const entries = await kv.list(environment.layout.statuses);
    return { ...(await view(environment, context)), jobs: entries.map(readStatus) };
  });

  app.get<{ Params: { name: string } }>("/api/v1/environments/:name/diff", async ({ params }) =>
    diffOf(find(params.name), context, signal),
  );

  app.get<{ Params: { name: string }; Querystring: { job?: string; limit?: string } }>(
    "/api/v1/environments/:name/history",
    async ({ params, query: { job, limit } }) => {
      if (!job) throw new SluiceError("USAGE", "say which job: ?job=apps/shop/web");
      const most = Math.min(MOST_HISTORY, Math.max(1, Number(limit ?? 20) || 20));
      return historyOf(find(params.name), job as JobKey, most, context);
    },
  );

  app.get<{ Params: { name: string }; Querystring: FollowQuery }>(
    "/api/v1/environments/:name/follow",
    async (request, reply) => {
      const environment = find(request.params.name);
      const { revision, token, mirror, deployer } = request.query;
      const commit = await commitToFollow(revision, environment, context);
      const from =
        token === undefined ? undefined : { mirror: Number(mirror) || 0, deployer: Number(deployer) || 0 };
      const which = { commit, token, from, plan: true, progress: true };
      const options = { kv, environment, ...which, clock, deadlineMs: FOLLOW_MS };
      return sendLines(request, reply, signal, (aborted) => follow(options, aborted));
    },
  );
}

interface FollowQuery {
  readonly revision?: string;
  /** A sync's `at` and where the event logs stood before it: the end is the one of that sync. */
  readonly token?: string;
  readonly mirror?: string;
  readonly deployer?: string;
}

/** The commit that a revision's text names; without one, the branch's head: what a sync would bring. */
async function commitToFollow(
  text: string | undefined,
  environment: Environment,
  { signal }: HttpContext,
): Promise<CommitId> {
  if (text) return parseRevision(text).commit;
  const source = await environment.openSource();
  try {
    const head = await source.head(signal);
    if (head) return head;
    throw new SluiceError(
      "NOT_FOUND",
      `${environment.name}: the branch ${source.branch} does not exist yet; push to it first`,
    );
  } finally {
    await source.close();
  }
}

async function view(environment: Environment, { kv }: HttpContext): Promise<EnvironmentView> {
  const { layout, config, name, repository, pattern, deploys } = environment;
  const suspend = layout.control("suspend");
  const log = `${layout.events}/mirror`;
  const entries = await kv.getMany([layout.revision, layout.deployment, suspend, log]);
  const marker = entries.get(layout.revision);
  const deployment = entries.get(layout.deployment);
  const suspended = orProblem(() => suspendedViews(environment, entries.get(suspend)));
  return {
    name,
    repository: repository.replace(/\/\/[^@/]+@/, "//"),
    branch: config.source.branch,
    pattern,
    deploys,
    targets: Object.fromEntries(
      Object.entries(config.targets).map(([target, settings]) => [target, settings.type]),
    ),
    marker: marker && decodeRecord("marker", marker),
    deployment: deployment && decodeRecord("deployment", deployment),
    suspended: suspended.value ?? [],
    refused: refusedIn(entries.get(log)),
    problem: suspended.problem,
  };
}

/** The mirror's last word, where that was a no. */
function refusedIn(log: KvEntry | undefined): EnvironmentView["refused"] {
  const last = readEventLog(log)
    .map(({ event }) => event)
    .filter(({ type }) => ["mirror.refused", "mirror.synced", "mirror.checked"].includes(type))
    .at(-1);
  return last?.type === "mirror.refused" ? { revision: last.revision, problems: last.problems } : undefined;
}

/** One status that cannot be read is shown as such; it does not hide the others. */
function readStatus(entry: KvEntry): JobStatus | { key: string; problem: string } {
  try {
    return decodeRecord("status", entry);
  } catch (error) {
    if (isSluiceError(error, "KV_RECORD_INVALID")) return { key: entry.key, problem: error.message };
    throw error;
  }
}
