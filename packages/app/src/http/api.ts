import {
  type CommitId,
  decodeRecord,
  isSluiceError,
  type JobStatus,
  type KvEntry,
  parseRevision,
  SluiceError,
} from "@sluice/core";
import type { FastifyInstance } from "fastify";
import type { Environment } from "../engine/environment.ts";
import type { HttpContext } from "./context.ts";
import { diffOf } from "./diff.ts";
import { follow } from "./follow.ts";
import { sendLines } from "./lines.ts";

/** How long `sync --wait` and `wait` follow a deployment at the most. */
const FOLLOW_MS = 60 * 60_000;

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
}

/** `/api/v1/…` */
export function apiRoutes(app: FastifyInstance, context: HttpContext): void {
  const { environments, kv, clock, signal } = context;
  const find = (name: string): Environment => {
    const found = environments.find((one) => one.name === name);
    if (found) return found;
    throw new SluiceError(
      "NOT_FOUND",
      `there is no environment "${name}"; there are ${environments.map((one) => one.name).join(", ")}`,
    );
  };

  app.get("/api/v1/environments", async () => ({
    environments: await Promise.all(environments.map((one) => view(one, context))),
  }));

  app.get<{ Params: { name: string } }>("/api/v1/environments/:name", async ({ params }) => {
    const environment = find(params.name);
    const entries = await kv.list(environment.layout.statuses);
    return { ...(await view(environment, context)), jobs: entries.map(readStatus) };
  });

  app.post<{ Params: { name: string }; Body: { retry?: unknown } | undefined }>(
    "/api/v1/environments/:name/sync",
    async ({ params, body }) => {
      const environment = find(params.name);
      const token = { at: new Date(clock.now()).toISOString(), retry: body?.retry === true };
      await kv.commit([
        { verb: "set", key: environment.layout.control("sync"), value: Buffer.from(JSON.stringify(token)) },
      ]);
      return token;
    },
  );

  app.get<{ Params: { name: string } }>("/api/v1/environments/:name/diff", async ({ params }) =>
    diffOf(find(params.name), context, signal),
  );

  app.get<{ Params: { name: string }; Querystring: { revision?: string } }>(
    "/api/v1/environments/:name/follow",
    async (request, reply) => {
      const environment = find(request.params.name);
      const commit = await commitToFollow(request.query.revision, environment, context);
      const options = { kv, environment, commit, from: undefined, plan: true, clock, deadlineMs: FOLLOW_MS };
      return sendLines(request, reply, signal, (aborted) => follow(options, aborted));
    },
  );
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
  const entries = await kv.getMany([layout.revision, layout.deployment]);
  const marker = entries.get(layout.revision);
  const deployment = entries.get(layout.deployment);
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
  };
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
