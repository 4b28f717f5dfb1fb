import { createHash } from "node:crypto";
import { type Clock, messageOf, parseRevision } from "@sluice/core";
import type { NoticeKind } from "../notice/kinds.ts";
import { cut, type Notice, oneLine } from "../notice/notice.ts";
import { durationText } from "../notice/wording.ts";
import type { Channel } from "./channel.ts";
import { type HttpPost, httpPost } from "./http-post.ts";

export type CommitHost = "github" | "gitlab" | "gitea" | "bitbucket" | "bitbucket-server";

export interface CommitStatusOptions {
  readonly host: CommitHost;
  /** The API's address: `https://api.github.com`, `https://gitlab.example`, `https://api.bitbucket.org`. */
  readonly api: string;
  /** `owner/name`; at GitLab with all groups, at Bitbucket Data Center the project's key and the slug. */
  readonly repository: string;
  readonly token: () => string;
  /** With a user the token is their password. */
  readonly username?: string | undefined;
  /** Shown before the environment's name: `deploy`. */
  readonly context: string;
  /** Where a person looks at it. */
  readonly url?: string | undefined;
  readonly clock: Clock;
}

type State = "running" | "succeeded" | "failed" | "superseded";

const STATES: { readonly [K in NoticeKind]?: State } = {
  "deployment.started": "running",
  "deployment.healthy": "succeeded",
  "deployment.degraded": "failed",
  "deployment.stalled": "failed",
  "deployment.superseded": "superseded",
};

/** How a deployment stands, beside the commit of the deploy repo it is of: one status for each environment. */
export function commitStatus(options: CommitStatusOptions): Channel {
  return {
    async post(notice, signal) {
      const state = STATES[notice.kind];
      if (state === undefined || notice.revision === undefined) return { kind: "skipped" };
      let token: string;
      try {
        token = options.token().trim();
      } catch (error) {
        return { kind: "later", why: messageOf(error) };
      }
      const request = REQUESTS[options.host](
        statusOf(notice, notice.revision, state, options),
        options,
        token,
      );
      return httpPost(request, options.clock.now(), signal);
    },
  };
}

interface Status {
  readonly commit: string;
  readonly branch: string;
  readonly state: State;
  /** The same for all statuses of one environment. */
  readonly context: string;
  readonly description: string;
  readonly url: string | undefined;
}

type Ask = (status: Status, options: CommitStatusOptions, token: string) => HttpPost;

/** GitHub's limit; the shortest of all. */
const LONGEST_DESCRIPTION = 140;

function statusOf(
  notice: Notice,
  revision: NonNullable<Notice["revision"]>,
  state: State,
  { context, url }: CommitStatusOptions,
): Status {
  const { branch, commit } = parseRevision(revision);
  const took = notice.ms === undefined ? "" : ` in ${durationText(notice.ms)}`;
  const text = notice.message || `${notice.kind.slice("deployment.".length)}${took}`;
  return {
    ...{ commit, branch, state, context: `${context}/${notice.environment}` },
    description: cut(oneLine(text), LONGEST_DESCRIPTION),
    url: notice.url ?? url,
  };
}

const REQUESTS: { readonly [H in CommitHost]: Ask } = {
  github: (status, options, token) => ({
    url: join(options.api, "repos", ...options.repository.split("/"), "statuses", status.commit),
    headers: {
      accept: "application/vnd.github+json",
      authorization: authorization(options, token, "Bearer"),
      "x-github-api-version": "2022-11-28",
    },
    body: JSON.stringify({
      state: { running: "pending", succeeded: "success", failed: "failure", superseded: "error" }[
        status.state
      ],
      ...(status.url ? { target_url: status.url } : {}),
      ...{ description: status.description, context: status.context },
    }),
  }),
  gitlab: (status, { api, repository }, token) => ({
    url: `${join(api, "api/v4/projects")}/${encodeURIComponent(repository)}/statuses/${status.commit}`,
    headers: { "private-token": token },
    body: JSON.stringify({
      state: { running: "running", succeeded: "success", failed: "failed", superseded: "canceled" }[
        status.state
      ],
      ...{ name: status.context, ref: status.branch, description: status.description },
      ...(status.url ? { target_url: status.url } : {}),
    }),
    // The state it has already is refused by older ones.
    isThere: ({ status: code, body }) => code === 400 && /Cannot transition status/i.test(body),
  }),
  gitea: (status, options, token) => ({
    url: join(options.api, "api/v1/repos", ...options.repository.split("/"), "statuses", status.commit),
    headers: { authorization: authorization(options, token, "token") },
    body: JSON.stringify({
      state: { running: "pending", succeeded: "success", failed: "failure", superseded: "warning" }[
        status.state
      ],
      ...(status.url ? { target_url: status.url } : {}),
      ...{ description: status.description, context: status.context },
    }),
  }),
  bitbucket: (status, options, token) => ({
    url: join(
      options.api,
      "2.0/repositories",
      ...options.repository.split("/"),
      "commit",
      status.commit,
      "statuses/build",
    ),
    headers: { authorization: authorization(options, token, "Bearer") },
    body: JSON.stringify({
      ...{ key: keyOf(status.context), state: BITBUCKET[status.state], name: status.context },
      // Required there.
      url: status.url ?? `https://bitbucket.org/${options.repository}/commits/${status.commit}`,
      description: status.description,
    }),
  }),
  "bitbucket-server": (status, options, token) => {
    const [project = "", slug = ""] = options.repository.split("/");
    return {
      url: join(
        options.api,
        "rest/api/latest/projects",
        project,
        "repos",
        slug,
        "commits",
        status.commit,
        "builds",
      ),
      headers: { authorization: authorization(options, token, "Bearer"), "x-atlassian-token": "no-check" },
      body: JSON.stringify({
        ...{ key: keyOf(status.context), name: status.context, ref: `refs/heads/${status.branch}` },
        state: status.state === "superseded" ? "CANCELLED" : BITBUCKET[status.state],
        url: status.url ?? join(options.api, "projects", project, "repos", slug, "commits", status.commit),
        description: status.description,
      }),
    };
  },
};

const BITBUCKET = { running: "INPROGRESS", succeeded: "SUCCESSFUL", failed: "FAILED", superseded: "STOPPED" };

/** A key has at most 40 characters: the 40 of a SHA-1, so that long names differ too. */
function keyOf(context: string): string {
  return createHash("sha1").update(context).digest("hex");
}

function authorization({ username }: CommitStatusOptions, token: string, scheme: string): string {
  if (username === undefined) return `${scheme} ${token}`;
  return `Basic ${Buffer.from(`${username}:${token}`).toString("base64")}`;
}

/** @param path parts; slashes in the first may part folders, in the others they are escaped. */
function join(base: string, first: string, ...path: string[]): string {
  const rest = path.flatMap((part) => part.split("/")).map(encodeURIComponent);
  return [base.replace(/\/+$/, ""), first, ...rest].join("/");
}
