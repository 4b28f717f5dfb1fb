import {
  type Clock,
  type DeploymentStatus,
  decodeRecord,
  isSluiceError,
  type Kv,
  type KvEntry,
  type RevisionMarker,
} from "@sluice/core";
import type { Environment } from "../engine/environment.ts";
import { type LoggedEvent, readEventLog } from "../engine/event-log.ts";

export interface NewsOptions {
  readonly kv: Kv;
  readonly environment: Environment;
  readonly clock: Clock;
  /** After this many milliseconds the last news is `timeout`. */
  readonly deadlineMs: number;
}

/** One thing a follower learns. */
export type News =
  | { kind: "mirror" | "deployer"; events: readonly LoggedEvent[] }
  | { kind: "marker"; marker: RevisionMarker }
  | { kind: "deployment"; status: DeploymentStatus }
  /** The engine's token may not read one of the keys. */
  | { kind: "denied"; message: string }
  | { kind: "silence" }
  | { kind: "timeout" };

/** How long a key waits before it is believed to be the end: the events behind it are on their way. */
const EVENTS_LAG_MS = 1_000;

/** After how long without news a follower is told what is being waited for; then after twice that, and so on. */
const SILENCE_MS = 3_000;

/** What four small keys of an environment say, as it comes, until the signal aborts. */
export async function* newsOf(
  { kv, environment, clock, deadlineMs }: NewsOptions,
  signal: AbortSignal,
): AsyncIterable<News> {
  const { layout } = environment;
  const queue: News[] = [];
  let wake: () => void = () => undefined;
  let told = 0;
  const push = (news: News) => {
    if (news.kind !== "silence") told += 1;
    queue.push(news);
    wake();
  };
  const watch = async (key: string, read: (entry: KvEntry) => News, lagMs: number) => {
    let denied = false;
    const onError = (error: unknown) => {
      if (denied || !isSluiceError(error, "KV_DENIED", "KV_FILTERED")) return;
      denied = true;
      push({ kind: "denied", message: error.message });
    };
    for await (const entry of kv.watch(key, { signal, onError })) {
      if (!entry) continue;
      if (lagMs > 0) await clock.sleep(lagMs, signal);
      push(read(entry));
    }
  };
  for (const kind of ["mirror", "deployer"] as const)
    void watch(`${layout.events}/${kind}`, (entry) => ({ kind, events: readEventLog(entry) }), 0).catch(
      () => undefined,
    );
  void watch(
    layout.revision,
    (entry) => ({ kind: "marker", marker: decodeRecord("marker", entry) }),
    environment.deploys ? 0 : EVENTS_LAG_MS,
  ).catch(() => undefined);
  void watch(
    layout.deployment,
    (entry) => ({ kind: "deployment", status: decodeRecord("deployment", entry) }),
    EVENTS_LAG_MS,
  ).catch(() => undefined);
  const tellSilence = async () => {
    for (let pause = SILENCE_MS; !signal.aborted; pause = Math.min(pause * 2, 60_000)) {
      const before = told;
      await clock.sleep(pause, signal);
      if (told === before && !signal.aborted) push({ kind: "silence" });
    }
  };
  void tellSilence();
  void clock.sleep(deadlineMs, signal).then(() => push({ kind: "timeout" }));
  signal.addEventListener("abort", () => wake(), { once: true });
  while (!signal.aborted) {
    const news = queue.shift();
    if (news) yield news;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}
