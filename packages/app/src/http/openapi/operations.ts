import { z } from "zod";
import * as answers from "./answers.ts";
import { ENVIRONMENT_OPERATIONS } from "./environment-operations.ts";
import type { Operation } from "./operation.ts";

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
  ...ENVIRONMENT_OPERATIONS,
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
