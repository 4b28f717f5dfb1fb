import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AppLoop } from "../harness/app-loop.ts";
import { dockerEvents } from "./loop-docker.ts";
import { readyServers } from "./loop-haproxy.ts";

/** What happens between a push and its first answer, in order. */
export const HOPS = [
  "build begun",
  "image in the registry",
  "tag in Consul",
  "commit in the deploy repo",
  "revision in Consul",
  "Swarm has the new spec",
  "container started",
  "container healthy",
  "registered as passing",
  "HAProxy has the server",
  "first new answer",
] as const;
export type Hop = (typeof HOPS)[number];

/** `Date.now()` of each hop, of the push's start and of its return: all on one machine. */
export type Sightings = Readonly<Record<Hop | "began" | "returned", number>>;

/** The hops that are seen from outside; of the others their makers tell. */
type Watched = Exclude<Hop, "build begun" | "image in the registry" | "first new answer">;
const WATCHED = HOPS.length - 3;

export interface HopWatch {
  complete(): boolean;
  seen(): Readonly<Record<Watched, number>>;
  stop(): void;
}

/** Notes when each hop first shows something that is not there now. */
export async function watchHops(loop: AppLoop): Promise<HopWatch> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const seen = new Map<Watched, number>();
  const note = (hop: Watched, at = Date.now()) => {
    if (!seen.has(hop) && !signal.aborted) seen.set(hop, at);
  };
  const consul = (path: string, read: (answer: never) => readonly string[]) =>
    consulStates(`${loop.consul.address}/v1/${path}`, read, signal);
  const repository = join(loop.engine.folder, ".sluice/git/deploy.git");
  const watches: readonly (readonly [Watched, AsyncIterable<readonly string[]>])[] = [
    ["tag in Consul", consul("kv/sluice/images/?recurse=", valuesOf)],
    ["commit in the deploy repo", polled(async () => [await headOf(repository)], 2, signal)],
    ["revision in Consul", consul("kv/sluice/production/revision?", syncedRevision)],
    ["registered as passing", consul("health/service/shop?passing=", idsOf)],
    ["HAProxy has the server", polled(() => readyServers(loop.balancer.runtime, "shop"), 10, signal)],
  ];
  await Promise.all(watches.map(([hop, states]) => untilFirst(states, () => note(hop), signal)));
  const events = await dockerEvents(loop.docker.client, signal);
  events.on("service update", (at) => note("Swarm has the new spec", at));
  events.on("container start", (at) => note("container started", at));
  events.on("container health_status: healthy", (at) => note("container healthy", at));
  return {
    complete: () => seen.size === WATCHED,
    seen: () => Object.fromEntries(seen) as Record<Watched, number>,
    stop: () => stopping.abort(),
  };
}

/** Resolves with the first state; from then on tells the first one that has something the first has not. */
function untilFirst(
  states: AsyncIterable<readonly string[]>,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((begun, failed) => {
    void (async () => {
      let first: readonly string[] | undefined;
      for await (const state of states) {
        first ??= state;
        begun();
        if (!state.every((one) => first?.includes(one))) return changed();
      }
    })().catch((error) => (signal.aborted ? undefined : failed(error)));
  });
}

/** By blocking queries: each state as soon as there is one. @param url ends with its query. */
async function* consulStates(
  url: string,
  read: (answer: never) => readonly string[],
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  for (let index = "0"; !signal.aborted; ) {
    const answer = await fetch(`${url}&index=${index}&wait=60s`, { signal });
    index = answer.headers.get("x-consul-index") ?? "0";
    yield answer.status === 404 ? [] : read((await answer.json()) as never);
  }
}

async function* polled(
  read: () => Promise<readonly string[]>,
  everyMs: number,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  for (; !signal.aborted; await sleep(everyMs)) yield await read();
}

function valuesOf(entries: readonly { readonly Value: string }[]): readonly string[] {
  return entries.map(({ Value }) => Value);
}

function idsOf(entries: readonly { readonly Service: { readonly ID: string } }[]): readonly string[] {
  return entries.map(({ Service }) => Service.ID);
}

/** A marker that is being written is no revision yet. */
function syncedRevision(entries: readonly { readonly Value: string }[]): readonly string[] {
  return entries.flatMap(({ Value }) => {
    const { state, revision } = JSON.parse(Buffer.from(Value, "base64").toString()) as Record<string, string>;
    return state === "synced" && revision ? [revision] : [];
  });
}

async function headOf(repository: string): Promise<string> {
  return (await readFile(join(repository, "refs/heads/main"), "utf8")).trim();
}
