import {
  type ChangeSummary,
  type CommitId,
  commitId,
  displayPath,
  type JobKey,
  type Person,
  type Revision,
  revisionOf,
} from "@sluice/core";
import type { FastifyInstance } from "fastify";
import type { Environment } from "../../engine/environment.ts";
import { openCommitter } from "../../engine/repository.ts";
import type { HttpContext } from "../context.ts";
import { parsed } from "../controls/routes.ts";
import { findEnvironment } from "../find.ts";
import { NOBODY, promotionBody, rollbackBody } from "./bodies.ts";
import { type PlannedCommit, planJobRollback, planPromotion, planRollback } from "./plan.ts";

/** A commit that would be made, or was. */
export interface CommitView {
  readonly environment: string;
  /** What it stands on: naming it makes exactly this commit, or none. */
  readonly parent: CommitId;
  readonly message: string;
  readonly files: readonly string[];
  readonly changes: readonly ChangeSummary[];
  /** Undefined: it is only planned. */
  readonly revision: Revision | undefined;
}

type Route = { Params: { name: string } };

/** What is rolled back or promoted is a commit in the deploy repo: without `parent` it is only planned. */
export function commitRoutes(app: FastifyInstance, context: HttpContext): void {
  const { environments } = context;

  app.post<Route>("/api/v1/environments/:name/rollback", async ({ params, body }) => {
    const environment = findEnvironment(environments, params.name);
    const { job, to, ...how } = parsed(rollbackBody, body);
    const planned = job
      ? await planJobRollback(environment, { key: job as JobKey, to }, context)
      : await planRollback(environment, to, context);
    return commit(environment, planned, how, context);
  });

  app.post<Route>("/api/v1/environments/:name/promote", async ({ params, body }) => {
    const environment = findEnvironment(environments, params.name);
    const { what, from, ...how } = parsed(promotionBody, body);
    const planned = await planPromotion(findEnvironment(environments, from), environment, what, context);
    return commit(environment, planned, how, context);
  });
}

interface How {
  readonly why?: string | undefined;
  readonly by: string;
  readonly parent?: string | undefined;
}

async function commit(
  environment: Environment,
  { parent, edits, subject, about, changes }: PlannedCommit,
  { why, by, parent: agreed }: How,
  context: HttpContext,
): Promise<CommitView> {
  const said = why === undefined ? "" : `Why: ${why}\n\n`;
  const message = `${subject}\n\n${said}${about}\nAsked for by ${by}.\n`;
  const files = edits.map(({ path }) => displayPath(path));
  const view = { environment: environment.name, parent, message, files, changes };
  if (agreed === undefined) return { ...view, revision: undefined };
  const committer = await openCommitter(environment, context);
  try {
    // On the commit that was agreed to: where the branch has moved since, this is refused.
    const request = { parent: commitId(agreed), edits, message, ...authorOf(by) };
    const made = await committer.commit(request, context.signal);
    context.fetches.ask(environment, { by: "api", delivery: undefined });
    return { ...view, revision: revisionOf(environment.config.source.branch, made) };
  } finally {
    await committer.close();
  }
}

/** Who asked is the author, as far as they said who they are; Sluice made the commit, and is its author where nobody said. */
export function authorOf(by: string): { readonly author?: Person } {
  if (by === NOBODY) return {};
  return { author: { name: by.split("@")[0] || by, email: by.includes("@") ? by : "" } };
}
