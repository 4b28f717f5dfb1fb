import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isSluiceError, messageOf, SluiceError } from "@sluice/core";
import Fastify, { type FastifyInstance } from "fastify";
import { portTaken } from "../engine/embedded.ts";
import { readSecret } from "../engine/environment.ts";
import { apiRoutes } from "./api.ts";
import { branchRoutes } from "./branches.ts";
import { buildRoutes } from "./builds.ts";
import type { HttpContext, HttpOptions } from "./context.ts";
import { gitRoutes } from "./git.ts";
import { hookRoutes } from "./hooks.ts";
import { REGISTRY_HOOK, registryRoutes } from "./images/registry-hook.ts";
import { imageRoutes } from "./images/routes.ts";
import { operationRoutes } from "./operations.ts";
import { fetchRequests } from "./webhooks/fetch-requests.ts";
import { WEBHOOK_PATHS, webhookRoutes } from "./webhooks/routes.ts";

/** Starts the HTTP server. @throws PORT_TAKEN, CONFIG_INVALID (a public address without a token) */
export async function startHttp(options: HttpOptions): Promise<{ address: string }> {
  const { host, port, tokenFile } = options.config.http;
  if (!tokenFile && !isLoopback(host))
    throw new SluiceError(
      "CONFIG_INVALID",
      `http.host is ${host}, which others can reach, but http.tokenFile is not set`,
    );
  const stopping = new AbortController();
  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    bodyLimit: 1024 * 1024,
    trustProxy: false,
  });
  app.addHook("onRoute", ({ method, url }) => {
    for (const one of [method].flat()) options.onRoute?.(one, url);
  });
  mapErrors(app);
  if (tokenFile) requireToken(app, readSecret(tokenFile));
  const fetches = fetchRequests(options);
  const context: HttpContext = { ...options, signal: stopping.signal, fetches };
  operationRoutes(app, context);
  apiRoutes(app, context);
  hookRoutes(app, context);
  branchRoutes(app, context);
  buildRoutes(app, context);
  imageRoutes(app, context);
  registryRoutes(app, context);
  webhookRoutes(app, context);
  if (options.hosted) gitRoutes(app, options.hosted, stopping.signal);
  const address = await app.listen({ host, port }).catch((cause: unknown) => {
    if (!portTaken(cause)) throw cause;
    throw new SluiceError("PORT_TAKEN", `port ${port} for Sluice's HTTP server is taken`, {
      cause,
      hint: "Stop what listens there, or set http.port.",
    });
  });
  options.closing.add("HTTP server", async () => {
    stopping.abort();
    await app.close();
    await fetches.close();
  });
  return { address };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}

const STATUS: Partial<Record<string, number>> = {
  NOT_FOUND: 404,
  USAGE: 400,
  REVISION_MOVED: 409,
  GIT_CONFLICT: 409,
  GIT_REFUSED: 422,
  WEBHOOK_REFUSED: 403,
  KV_UNREACHABLE: 503,
  SCHEDULER_UNREACHABLE: 503,
  KV_DENIED: 502,
  SCHEDULER_DENIED: 502,
};

/** Every failure is `{code, message, hint}`; what nobody foresaw says no more than that. */
function mapErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _request, reply) => {
    if (isSluiceError(error)) {
      const { code, message, hint } = error;
      return reply.code(STATUS[code] ?? 500).send({ code, message, hint });
    }
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    return reply.code(status).send({
      code: status < 500 ? "USAGE" : "INTERNAL",
      message: status < 500 ? messageOf(error) : "the engine failed to answer",
      hint: "",
    });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ code: "NOT_FOUND", message: `there is nothing at ${request.url}`, hint: "" }),
  );
}

/** Routes that need no token: health checks tell nothing, and webhooks are signed. */
const OPEN_TO_ALL: ReadonlySet<string> = new Set(["/healthz", "/readyz", REGISTRY_HOOK, ...WEBHOOK_PATHS]);

function requireToken(app: FastifyInstance, token: string): void {
  app.addHook("onRequest", async (request, reply) => {
    if (OPEN_TO_ALL.has(request.routeOptions.url ?? "") || sameSecret(tokenOf(request.raw), token)) return;
    await reply.code(401).header("www-authenticate", 'Basic realm="Sluice"').send({
      code: "USAGE",
      message: "this engine wants a token",
      hint: "Send it as `Authorization: Bearer …`, or as the password of basic authentication for Git.",
    });
  });
}

/** Bearer for programs; basic authentication's password for `git`, which knows nothing else. */
function tokenOf(request: IncomingMessage): string {
  const [scheme, value = ""] = (request.headers.authorization ?? "").split(" ");
  if (scheme?.toLowerCase() === "bearer") return value;
  const decoded = Buffer.from(value, "base64").toString("utf8");
  return decoded.slice(decoded.indexOf(":") + 1);
}

function sameSecret(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
