import type { Clock, EventSink } from "@sluice/core";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Config } from "../../config/schema.ts";
import type { Environment } from "../../engine/environment.ts";
import type { Metrics } from "../../engine/metrics.ts";
import type { Asked } from "./concerned.ts";
import type { FetchRequests } from "./fetch-requests.ts";
import type { Provider } from "./provider.ts";
import { PROVIDERS } from "./providers.ts";
import { claimOf, type Desk, receive } from "./receive.ts";
import { refusals } from "./refusals.ts";
import { webhookSecrets } from "./secrets.ts";
import { seen } from "./seen.ts";

export interface WebhookOptions {
  readonly config: Pick<Config, "webhooks">;
  readonly environments: readonly Environment[];
  readonly patterned: readonly Asked[];
  readonly fetches: FetchRequests;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "webhook">;
  readonly events: EventSink;
}

/** The routes' paths. They are open without the engine's token: each of their requests is signed. */
export const WEBHOOK_PATHS: readonly string[] = PROVIDERS.map(pathOf);

/** How long a body may take to arrive. */
const BODY_MS = 30_000;
const DAY_MS = 24 * 60 * 60_000;

/** What is counted for an answer that is no success. */
const FAILURES: Readonly<Partial<Record<number, string>>> = {
  400: "malformed",
  403: "refused",
  413: "oversized",
  415: "unsupported",
  500: "failed",
};

/**
 * `POST /hooks/<provider>` for each provider.
 * @throws CONFIG_INVALID where a secret's file is unreadable or empty.
 */
export function webhookRoutes(app: FastifyInstance, options: WebhookOptions): void {
  const { config, environments, patterned, fetches, clock } = options;
  const secrets = webhookSecrets(config.webhooks);
  const delivered = seen({ most: 10_000, forMs: DAY_MS, clock });
  const desk: Desk = {
    environments,
    patterned,
    secrets,
    fetches,
    clock,
    delivered,
    refusals: refusals(options),
  };
  for (const provider of PROVIDERS) {
    // A scope of its own for each: there bodies stay the bytes they came as.
    void app.register((scope, _options, done) => {
      readBytes(scope, provider);
      addRoute(scope, provider, desk, options);
      done();
    });
  }
}

function pathOf({ name }: Provider): string {
  return `/hooks/${name}`;
}

function readBytes(scope: FastifyInstance, { mediaTypes }: Provider): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser([...mediaTypes], { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
}

function addRoute(
  scope: FastifyInstance,
  provider: Provider,
  desk: Desk,
  { metrics, config }: WebhookOptions,
): void {
  // Whoever has no right to send is told so before a body is read.
  scope.addHook("onRequest", async (request) => {
    claimOf(request, provider, desk);
    limitTime(request, desk.clock);
  });
  scope.addHook("onResponse", async (_request, reply) => {
    const failure = FAILURES[reply.statusCode];
    if (failure) metrics.webhook(provider.name, failure);
  });
  const { maxBodyBytes: bodyLimit } = config.webhooks;
  scope.post(pathOf(provider), { bodyLimit }, async (request, reply) => {
    const answer = receive(request, provider, desk);
    metrics.webhook(provider.name, answer.outcome);
    const done = answer.outcome === "ping" || answer.outcome === "seen";
    return reply.code(done ? 200 : 202).send(answer);
  });
}

/** Ends a connection whose body does not arrive. */
function limitTime({ raw }: FastifyRequest, clock: Clock): void {
  const over = new AbortController();
  for (const event of ["end", "close"]) raw.once(event, () => over.abort());
  void clock.sleep(BODY_MS, over.signal).then(() => {
    if (!over.signal.aborted) raw.destroy();
  });
}
