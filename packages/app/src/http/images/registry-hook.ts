import { isSluiceError, SluiceError } from "@sluice/core";
import { announce } from "@sluice/image-updater";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { HttpContext } from "../context.ts";
import { refusals } from "../webhooks/refusals.ts";
import { secretsIn } from "../webhooks/secrets.ts";
import { anyMatches, digestOf } from "../webhooks/signature.ts";
import { type PushedImage, pushedImages } from "./pushed-images.ts";

/** Open without the engine's token: each of its requests bears the registry's secret. */
export const REGISTRY_HOOK = "/hooks/registry";

const MOST_BYTES = 1024 * 1024;

/**
 * `POST /hooks/registry`. What is genuine is answered by 2xx even where nothing follows from it: Docker's registry sends one
 * notification again and again until it is taken, and all that come after it wait. Only where the KV does not take it, it is to try again.
 * @throws CONFIG_INVALID where the secret's file is unreadable or empty.
 */
export function registryRoutes(app: FastifyInstance, context: HttpContext): void {
  const { registry } = context.config.webhooks;
  const secrets = registry && secretsIn("registry", registry.secretFile);
  const refused = refusals(context);
  void app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, next) => next(null, body));
    // Whoever has no right to send is told so before a body is read.
    scope.addHook("onRequest", async (request) => {
      const why = secrets ? refusal(request, secrets) : "webhooks.registry.secretFile is not set";
      if (why === undefined) return;
      refused.tell("registry", why);
      throw new SluiceError("WEBHOOK_REFUSED", "this webhook is refused");
    });
    scope.post(REGISTRY_HOOK, { bodyLimit: MOST_BYTES }, async ({ body }, reply) => {
      const pushed = pushedImages(parsed(body), registry?.host);
      if (!pushed)
        return { outcome: "ignored", images: [], message: "this is no notification of a known registry" };
      const taken = await announceAll(pushed, context);
      return reply.code(202).send({ outcome: taken.length > 0 ? "accepted" : "ignored", images: taken });
    });
    done();
  });
}

async function announceAll(pushed: readonly PushedImage[], context: HttpContext): Promise<string[]> {
  const { kv, clock, signal, config } = context;
  const taken: string[] = [];
  for (const { name, said } of pushed) {
    try {
      await announce({ kv, clock, prefix: config.prefix }, name, said, signal);
      taken.push(`${name}:${said.tag}`);
    } catch (error) {
      if (!isSluiceError(error, "USAGE")) throw error;
    }
  }
  return taken;
}

function refusal(request: FastifyRequest, secrets: readonly string[]): string | undefined {
  const { authorization } = request.headers;
  const { token } = request.query as { token?: unknown };
  const given =
    authorization === undefined ? (typeof token === "string" ? [token] : []) : secretsOf(authorization);
  if (given.length === 0) return "it bears no secret: no header Authorization, no token in its address";
  const fits = given.some((one) => anyMatches(secrets, digestOf(one), digestOf));
  return fits ? undefined : "its secret is another than the engine's";
}

/** The header's value as it is (Harbor), what follows `Bearer`, and the password of basic authentication. */
function secretsOf(authorization: string): string[] {
  const [scheme = "", value = ""] = authorization.split(" ");
  if (scheme.toLowerCase() !== "basic")
    return [authorization, ...(scheme.toLowerCase() === "bearer" ? [value] : [])];
  const decoded = Buffer.from(value, "base64").toString("utf8");
  return [authorization, decoded.slice(decoded.indexOf(":") + 1)];
}

function parsed(body: unknown): unknown {
  try {
    return JSON.parse(Buffer.from(body as Uint8Array).toString("utf8"));
  } catch {
    return undefined;
  }
}
