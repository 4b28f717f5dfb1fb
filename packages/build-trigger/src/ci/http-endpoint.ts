import { createHmac } from "node:crypto";
import { SluiceError } from "@sluice/core";
import { type BuildRecord, runId } from "../record.ts";
import type { CiServer, CiState } from "./ci-server.ts";
import { type CiConnection, type CiTls, ciConnection, refusal } from "./connection.ts";

export interface HttpEndpointOptions {
  readonly url: string;
  /** Signs each request; read anew for each. */
  readonly secret: () => string;
  readonly tls: CiTls;
}

const NAME = "the CI";
const STATES = ["queued", "running", "succeeded", "failed", "aborted"] as const;

/**
 * Any CI behind an HTTP endpoint. It is sent the build as JSON, signed as GitHub signs its webhooks
 * (`X-Sluice-Signature-256: sha256=<hex HMAC-SHA256 of the body>`), with the build's id as `Idempotency-Key`: a request whose
 * answer was lost is sent again. An answer `{"statusUrl": "…"}` of the same origin is followed: it tells
 * `{"state": "queued|running|succeeded|failed|aborted", "url": "…", "message": "…"}`.
 */
export function httpEndpoint(options: HttpEndpointOptions): CiServer {
  const base = new URL(options.url);
  const connection = ciConnection(NAME, base, options.tls);
  return {
    async start(build, signal) {
      const data = JSON.stringify(payload(build));
      const signature = createHmac("sha256", options.secret()).update(data).digest("hex");
      const headers = {
        "content-type": "application/json",
        "idempotency-key": runId(build),
        "x-sluice-signature-256": `sha256=${signature}`,
      };
      const answer = await connection({ method: "POST", url: base.href, data, headers }, signal);
      if (answer.status < 200 || answer.status > 299) throw refusal(NAME, answer, `a build of ${build.app}`);
      return statusPath(answer.data, base);
    },
    // Not resolved against it: a handle that begins with // would lead to another server.
    follow: (handle, _build, signal) => follow(connection, new URL(base.origin + handle), handle, signal),
    async check(signal) {
      if (options.secret() === "") throw new SluiceError("CI_DENIED", "the secret for the CI is empty");
      // Any answer will do: an endpoint for builds need not know how to be looked at.
      const answer = await connection({ method: "HEAD", url: base.href }, signal);
      if (answer.status >= 500) throw refusal(NAME, answer, "a look at it");
      return "answers";
    },
  };
}

function payload(build: BuildRecord) {
  const { app, repository, ref, commit, before, requestedAt } = build;
  const branch = ref.replace(/^refs\/heads\//, "");
  return { id: runId(build), app, repository, ref, branch, commit, before: before ?? null, requestedAt };
}

/** Nobody else is ever asked for the status, wherever an answer points. */
function statusPath(body: string, base: URL): string | undefined {
  const given = textMember(body, "statusUrl");
  if (given === undefined || !URL.canParse(given, base.href)) return undefined;
  const url = new URL(given, base);
  return url.origin === base.origin ? url.pathname + url.search : undefined;
}

async function follow(
  connection: CiConnection,
  url: URL,
  handle: string,
  signal: AbortSignal,
): Promise<CiState> {
  const answer = await connection({ method: "GET", url: url.href }, signal);
  if (answer.status !== 200) throw refusal(NAME, answer, "a question about a build");
  const state = STATES.find((one) => one === textMember(answer.data, "state")) ?? "queued";
  const message = textMember(answer.data, "message")?.slice(0, 300);
  const page = webAddress(textMember(answer.data, "url"));
  if (state === "queued") return { kind: "queued", handle, why: message ?? "it waits" };
  if (state === "running") return { kind: "running", handle, url: page ?? url.href };
  return { kind: "done", result: state, message: message ?? `the build ${state}`, url: page };
}

function webAddress(text: string | undefined): string | undefined {
  return text !== undefined && /^https?:\/\/[^\s@]+$/.test(text) ? text : undefined;
}

function textMember(body: string, name: string): string | undefined {
  try {
    const value = (JSON.parse(body) as Record<string, unknown> | null)?.[name];
    return typeof value === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}
