import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type OutgoingHttpHeaders, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  type ManualClock,
  type MemoryKv,
  manualClock,
  memoryKv,
  type RecordingSink,
  recordingSink,
} from "@sluice/core/testing";
import { type Config, configSchema } from "../../config/schema.ts";
import { closers } from "../../engine/closers.ts";
import { environmentsOf } from "../../engine/environment.ts";
import { eventStream } from "../../engine/event-stream.ts";
import { type Metrics, metrics } from "../../engine/metrics.ts";
import { startHttp } from "../server.ts";
import type { ProviderName } from "./provider.ts";
import { PROVIDERS } from "./providers.ts";

/** An HTTP server over a KV in memory, under a clock the test moves, with a secret for every provider. */
export interface WebhookBench {
  readonly address: string;
  readonly kv: MemoryKv;
  readonly clock: ManualClock;
  readonly sink: RecordingSink;
  readonly metrics: Metrics;
  post(path: string, body: string | Buffer, headers?: OutgoingHttpHeaders): Promise<Answer>;
  /** Posts a genuine webhook. */
  deliver(provider: ProviderName, body: string | Buffer, headers?: OutgoingHttpHeaders): Promise<Answer>;
  /** The tokens that mirrors see, by environment. */
  fetches(): Record<string, unknown>;
  /** What was counted: `github accepted` to how often. */
  counted(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface WebhookBenchOptions {
  /** Repositories by environment; the branch is `main` unless given after a `#`. */
  readonly environments: Readonly<Record<string, string>>;
  readonly aliases?: readonly string[];
  /** The content of every provider's secret file; undefined: none is configured. */
  readonly secret?: string | undefined;
  /** The engine's own token. */
  readonly token?: string;
  readonly maxBodyBytes?: number;
}

export const SECRET = "It's a Secret to Everybody";

export async function webhookBench(options: WebhookBenchOptions): Promise<WebhookBench> {
  const folder = mkdtempSync(join(tmpdir(), "sluice-webhooks-"));
  const config = configOf(folder, "secret" in options ? options : { ...options, secret: SECRET });
  const kv = memoryKv();
  const clock = manualClock();
  const sink = recordingSink();
  const closing = closers();
  const numbers = metrics();
  const stop = async () => {
    await closing.closeAll();
    rmSync(folder, { recursive: true });
  };
  const embedded = { consul: "", marathon: "", chronos: "" };
  const { address } = await startHttp({
    config,
    patterned: [],
    environments: environmentsOf(config, embedded, clock, () => 0.5),
    kv,
    clock,
    random: () => 0.5,
    metrics: numbers,
    readiness: { sink: { emit: () => undefined }, looked: () => undefined, problems: async () => [] },
    stream: eventStream(),
    events: sink,
    hosted: undefined,
    closing,
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const post: WebhookBench["post"] = (path, body, headers) => send(address + path, body, headers);
  return {
    address,
    kv,
    clock,
    sink,
    metrics: numbers,
    post,
    deliver: (provider, body, headers) =>
      post(`/hooks/${provider}`, body, { ...genuine(provider, body), ...headers }),
    fetches: () => tokensIn(kv),
    counted: () => countersIn(numbers),
    stop,
  };
}

function configOf(folder: string, options: WebhookBenchOptions): Config {
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const { secret, token, aliases = [], maxBodyBytes } = options;
  const environments = Object.entries(options.environments).map(([name, place]) => {
    const [repository, branch = "main"] = place.split("#");
    return [name, { source: { repository, branch, aliases } }];
  });
  const secrets = PROVIDERS.map(({ name }) => [name, { secretFile: file(name, secret ?? "") }]);
  return configSchema.parse({
    dataDir: folder,
    http: { port: 0, ...(token === undefined ? {} : { tokenFile: file("token", token) }) },
    environments: Object.fromEntries(environments),
    webhooks: {
      ...(secret === undefined ? {} : Object.fromEntries(secrets)),
      ...(maxBodyBytes ? { maxBodyBytes } : {}),
    },
  });
}

function send(url: string, body: string | Buffer, headers: OutgoingHttpHeaders = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      method: "POST",
      agent: false,
      headers: { "content-type": "application/json", ...headers },
    };
    const sent = request(url, options, (response) => {
      text(response)
        .then((answer) => resolve({ status: response.statusCode ?? 0, body: JSON.parse(answer) }))
        .catch(reject);
    });
    sent.on("error", reject).end(body);
  });
}

export function hmacHex(body: string | Buffer, secret = SECRET): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

/** The headers that each kind of host sends with a push. */
export function genuine(provider: ProviderName, body: string | Buffer): OutgoingHttpHeaders {
  const hex = hmacHex(body);
  switch (provider) {
    case "github":
      return { "x-github-event": "push", "x-hub-signature-256": `sha256=${hex}` };
    case "gitlab":
      return { "x-gitlab-event": "Push Hook", "x-gitlab-token": SECRET };
    case "gitea":
      return { "x-gitea-event": "push", "x-gitea-signature": hex };
    case "bitbucket":
      return { "x-event-key": "repo:push", "x-hub-signature": `sha256=${hex}` };
    case "bitbucket-server":
      return { "x-event-key": "repo:refs_changed", "x-hub-signature": `sha256=${hex}` };
  }
}

/** The header that holds a provider's delivery id. */
export const DELIVERY: Readonly<Record<ProviderName, string>> = {
  github: "x-github-delivery",
  gitlab: "idempotency-key",
  gitea: "x-gitea-delivery",
  bitbucket: "x-request-uuid",
  "bitbucket-server": "x-request-id",
};

export function fixture(name: string): string {
  return readFileSync(new URL(`./fixtures/${name}.json`, import.meta.url), "utf8");
}

/** A provider's push with another ref, or deleted. */
export function pushOf(provider: ProviderName, ref: string, deleted = false): string {
  const payload = JSON.parse(fixture(`${provider}-push`));
  const name = ref.split("/").slice(2).join("/");
  if (provider === "bitbucket") {
    const side = { type: ref.startsWith("refs/tags/") ? "tag" : "branch", name };
    payload.push.changes = [deleted ? { new: null, old: side } : { new: side, old: null }];
  } else if (provider === "bitbucket-server")
    payload.changes = [{ ref: { id: ref, displayId: name }, type: deleted ? "DELETE" : "UPDATE" }];
  else Object.assign(payload, { ref, after: deleted ? "0".repeat(40) : payload.after });
  return JSON.stringify(payload);
}

function tokensIn(kv: MemoryKv): Record<string, unknown> {
  const keys = Object.entries(kv.dump()).flatMap(([key, value]) => {
    const name = /^sluice\/(.+)\/control\/fetch$/.exec(key)?.[1];
    return name ? [[name, JSON.parse(value)] as const] : [];
  });
  return Object.fromEntries(keys);
}

async function countersIn(numbers: Metrics): Promise<Record<string, number>> {
  const lines = (await numbers.text()).matchAll(
    /^sluice_webhooks_total\{provider="(.+)",outcome="(.+)"\} (\d+)$/gm,
  );
  return Object.fromEntries(
    [...lines].map(([, provider, outcome, number]) => [`${provider} ${outcome}`, Number(number)]),
  );
}
