import { z } from "zod";
import { promotionBody, rollbackBody } from "../commits/bodies.ts";
import { pruneBody, scopeBody, syncBody } from "../controls/routes.ts";
import * as answers from "./answers.ts";

/** One route of the server, as the OpenAPI document describes it. */
export interface Operation {
  readonly method: "GET" | "POST";
  /** With `:name` for a part that varies. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  /** Query parameters and what they mean; `!` at the end of a name: it must be given. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: z.ZodType;
  /** The JSON of a success. Absent: `content` says what comes instead. */
  readonly answer?: z.ZodType;
  /** Media type of an answer that is no JSON. */
  readonly content?: string;
  /** Status of a success where it is not 200. */
  readonly status?: number;
}

const ONE = "/api/v1/environments/:name";
const LINES = "application/x-ndjson";
const SSE = "text/event-stream";
const push = z.looseObject({ repository: z.string(), updates: z.array(z.unknown()) });
const webhook = (host: string, id: string, path: string): Operation => ({
  method: "POST",
  path,
  id,
  summary: `A signed webhook of ${host}: docs/webhooks.md.`,
  body: z.looseObject({}),
  answer: z.looseObject({}),
  status: 202,
});

/** Every route but Git's own under `/deploy.git/`; a test compares it with what the server has. */
export const OPERATIONS: readonly Operation[] = [
  {
    method: "GET",
    path: "/api/v1/openapi.json",
    id: "openapi",
    summary: "This document.",
    answer: z.looseObject({}),
  },
  {
    method: "GET",
    path: "/api/v1/environments",
    id: "environments",
    summary: "Every environment and how it stands.",
    answer: answers.environments,
  },
  {
    method: "GET",
    path: ONE,
    id: "environment",
    summary: "An environment with the status of every job.",
    answer: answers.environment,
  },
  {
    method: "GET",
    path: `${ONE}/diff`,
    id: "diff",
    summary: "What the newest mirrored revision would change right now.",
    answer: answers.diff,
  },
  {
    ...{ method: "GET", path: `${ONE}/history`, id: "history", answer: answers.history },
    summary: "Every commit that changed a job, newest first, and how it did.",
    query: { "job!": "The job's key: apps/shop/web.", limit: "How many commits at the most; 20 by default." },
  },
  {
    ...{ method: "GET", path: `${ONE}/events`, id: "events", answer: answers.events },
    summary: "The newest events of the environment's logs.",
    query: { after: "A cursor: only what came after it." },
  },
  {
    ...{ method: "GET", path: `${ONE}/follow`, id: "follow", content: LINES },
    summary: "How a commit fares, an object a line, until it is deployed. The last line has `end`.",
    query: {
      revision: "main@sha1:<40 hex>; the branch's newest commit by default.",
      token: "`at` of a sync: the end is the end of that sync.",
      mirror: "With `token`: `from.mirror` of the sync.",
      deployer: "With `token`: `from.deployer` of the sync.",
    },
  },
  {
    method: "POST",
    path: `${ONE}/sync`,
    id: "sync",
    summary: "Look at the branch and at everything that runs, now.",
    body: syncBody,
    answer: answers.sync,
  },
  {
    method: "POST",
    path: `${ONE}/suspend`,
    id: "suspend",
    summary: "Leave a job, a target or the environment alone.",
    body: scopeBody,
    answer: answers.suspended,
  },
  {
    method: "POST",
    path: `${ONE}/resume`,
    id: "resume",
    summary: "Lift a suspension.",
    body: scopeBody,
    answer: answers.suspended,
  },
  {
    method: "POST",
    path: `${ONE}/prune`,
    id: "prune",
    summary: "Agree to removals beyond the limit, for one revision. 409 where it is another by now.",
    body: pruneBody,
    answer: answers.sync,
  },
  {
    method: "POST",
    path: `${ONE}/rollback`,
    id: "rollback",
    summary: "Plan, or with `parent` make, a commit of what was there earlier. 409 where the branch moved.",
    body: rollbackBody,
    answer: answers.commit,
  },
  {
    method: "POST",
    path: `${ONE}/promote`,
    id: "promote",
    summary: "Plan, or with `parent` make, a commit of what another environment says.",
    body: promotionBody,
    answer: answers.commit,
  },
  {
    method: "POST",
    path: `${ONE}/remove`,
    id: "removeBranch",
    summary: "What was mirrored of a branch that is gone may go now.",
    answer: z.looseObject({}),
  },
  {
    method: "GET",
    path: "/api/v1/branches",
    id: "branches",
    summary: "Branches that have an environment of their own.",
    answer: answers.branches,
  },
  {
    method: "GET",
    path: "/api/v1/builds",
    id: "builds",
    summary: "Builds that pushes asked for, newest first.",
    answer: answers.builds,
  },
  {
    method: "GET",
    path: "/api/v1/builds/:app",
    id: "buildsOfApp",
    summary: "Builds of one app.",
    answer: answers.builds,
  },
  {
    method: "POST",
    path: "/api/v1/builds/:app",
    id: "startBuild",
    summary: "Ask for a build of a commit, also once more.",
    body: z.looseObject({ branch: z.string(), commit: z.string() }),
    answer: z.looseObject({}),
  },
  {
    ...{ method: "POST", path: "/api/v1/images", id: "announceImage", answer: z.looseObject({}) },
    summary: "CI says that an image was pushed to a registry.",
    body: z.looseObject({ image: z.string(), tag: z.string().optional(), digest: z.string().optional() }),
  },
  {
    ...{ method: "GET", path: `${ONE}/images`, id: "images", answer: answers.images },
    summary: "The images that jobs run, and what would be newer.",
  },
  {
    ...{
      method: "POST",
      path: `${ONE}/images/pin`,
      id: "pinImage",
      answer: z.looseObject({ image: z.string() }),
    },
    summary: "Commit that an image stays at a tag.",
    body: z.looseObject({ image: z.string(), tag: z.string() }),
  },
  {
    ...{
      method: "POST",
      path: `${ONE}/images/unpin`,
      id: "unpinImage",
      answer: z.looseObject({ image: z.string() }),
    },
    summary: "Commit that an image follows its policy again.",
    body: z.looseObject({ image: z.string() }),
  },
  {
    ...{ method: "GET", path: "/events", id: "eventStream", content: SSE },
    summary: "Events as they happen: of this process, or with `environment` of its logs, from a place on.",
    query: { environment: "Whose logs.", after: "A cursor, as `Last-Event-ID` is." },
  },
  {
    method: "POST",
    path: "/hooks/git/review",
    id: "reviewPush",
    summary: "A pre-receive hook asks whether a push is any good.",
    body: push,
    content: LINES,
  },
  {
    method: "POST",
    path: "/hooks/git/follow",
    id: "followPush",
    summary: "A post-receive hook follows a push.",
    body: push,
    content: LINES,
  },
  {
    method: "POST",
    path: "/hooks/build",
    id: "buildHook",
    summary: "A hook of an app's repository tells of a push.",
    body: push,
    answer: z.looseObject({ lines: z.array(z.string()) }),
  },
  webhook("a Docker registry", "registryHook", "/hooks/registry"),
  webhook("GitHub", "github", "/hooks/github"),
  webhook("GitLab", "gitlab", "/hooks/gitlab"),
  webhook("Gitea or Forgejo", "gitea", "/hooks/gitea"),
  webhook("Bitbucket Cloud", "bitbucket", "/hooks/bitbucket"),
  webhook("Bitbucket Data Center", "bitbucketServer", "/hooks/bitbucket-server"),
  { method: "GET", path: "/metrics", id: "metrics", summary: "Prometheus.", content: "text/plain" },
  {
    method: "GET",
    path: "/healthz",
    id: "health",
    summary: "This process runs.",
    answer: answers.healthAnswer,
  },
  {
    method: "GET",
    path: "/readyz",
    id: "ready",
    summary: "This process can do its work; 503 where it cannot, and why.",
    answer: answers.healthAnswer,
  },
];
