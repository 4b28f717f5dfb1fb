import { z } from "zod";
import { promotionBody, rollbackBody } from "../commits/bodies.ts";
import { pruneBody, scopeBody, syncBody } from "../controls/routes.ts";
import * as answers from "./answers.ts";
import type { Operation } from "./operation.ts";

const ONE = "/api/v1/environments/:name";

/** The routes of one environment. */
export const ENVIRONMENT_OPERATIONS: readonly Operation[] = [
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
    ...{ method: "GET", path: `${ONE}/follow`, id: "follow", content: "application/x-ndjson" },
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
    summary: "Agree to removals that wait for a yes, for one revision. 409 where it is another by now.",
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
];
