import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { backoffMs, type Clock, messageOf, type Random, redact, SluiceError } from "@sluice/core";
import Docker from "dockerode";
import type { ContainerEngine, EngineHint, ListedContainer } from "../container.ts";
import { EVENTS, hintReader } from "./events.ts";
import { containerOf } from "./inspected.ts";

export interface DockerEngineOptions {
  /** `unix:///var/run/docker.sock`, `http://host:2375`, `https://host:2376`. */
  readonly address: string;
  /** PEM files. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

const TIMEOUT_MS = 30_000;
const BACKOFF = { firstMs: 250, mostMs: 10_000 };

/** The Docker Engine API (https://docs.docker.com/engine/api/v1.41/). @throws CONFIG_INVALID */
export function dockerEngine(options: DockerEngineOptions): ContainerEngine {
  const docker = new Docker(connection(options));

  async function ask<T>(
    what: string,
    signal: AbortSignal | undefined,
    work: (until: AbortSignal) => Promise<T>,
  ) {
    const until = AbortSignal.any([...(signal ? [signal] : []), AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      return await work(until);
    } catch (error) {
      signal?.throwIfAborted();
      if ((error as { statusCode?: number }).statusCode === 404) return undefined;
      const why = (error as { code?: string }).code ?? messageOf(error).slice(0, 200);
      throw new SluiceError(
        "ENGINE_UNREACHABLE",
        `could not ${what} of the Docker engine at ${redact(options.address)}: ${why}`,
      );
    }
  }

  return {
    async list(signal) {
      const found = await ask("list the containers", signal, (abortSignal) =>
        docker.listContainers({ abortSignal }),
      );
      if (Array.isArray(found)) return found.map(listed);
      throw new SluiceError("ENGINE_UNREACHABLE", "the Docker engine answered a list with something else");
    },
    async inspect(id, signal) {
      const found = await ask("inspect a container", signal, (abortSignal) =>
        docker.getContainer(id).inspect({ abortSignal }),
      );
      return found && containerOf(found);
    },
    watch: (signal) => watchEvents(docker, options, signal),
  };
}

/** An uptime changes all the time; what stands in brackets behind it is the health. */
export function listed(found: Docker.ContainerInfo): ListedContainer {
  const { Id, Names, State, Status, Ports, NetworkSettings, Labels } = found;
  const health = /\(([^)]*)\)/.exec(Status)?.[1] ?? "";
  const networks = Object.entries(NetworkSettings?.Networks ?? {}).map(([name, one]) => [
    name,
    one.IPAddress,
  ]);
  return { id: Id, mark: JSON.stringify([inOrder(Names), State, health, inOrder(Ports), networks, Labels]) };
}

/** The engine lists ports in any order. */
function inOrder(items: readonly unknown[] | null | undefined): readonly string[] {
  return (items ?? []).map((item) => JSON.stringify(item)).sort();
}

async function* watchEvents(
  docker: Docker,
  { clock, random }: DockerEngineOptions,
  signal: AbortSignal,
): AsyncGenerator<EngineHint, void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      const stream = (await docker.getEvents({
        filters: EVENTS,
        abortSignal: signal,
      })) as unknown as Readable;
      const stop = () => stream.destroy();
      signal.addEventListener("abort", stop);
      try {
        // What happened while nobody listened is found by a look of its own.
        yield { gap: true };
        const hintsIn = hintReader();
        for await (const chunk of stream) {
          failures = 0;
          yield* hintsIn(chunk as Uint8Array);
        }
      } finally {
        signal.removeEventListener("abort", stop);
        stream.destroy();
      }
    } catch {
      // Hints only: the interval finds what they would have told.
    }
    await clock.sleep(backoffMs(failures, BACKOFF, random), signal);
  }
}

function connection({ address, ca, cert, key }: DockerEngineOptions): Docker.DockerOptions {
  if (address.startsWith("unix://")) return { socketPath: address.slice("unix://".length) };
  const url = URL.canParse(address) ? new URL(address.replace(/^tcp:/, ca ? "https:" : "http:")) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw new SluiceError(
      "CONFIG_INVALID",
      `registrar.docker is "${redact(address)}"; it is unix:///path, tcp://host:port, http:// or https://`,
    );
  const tls = Object.entries({ ca, cert, key }).flatMap(([name, file]) =>
    file ? [[name, readFileSync(file)]] : [],
  );
  return {
    host: url.hostname,
    port: url.port || (url.protocol === "https:" ? 2376 : 2375),
    protocol: url.protocol === "https:" ? "https" : "http",
    ...Object.fromEntries(tls),
  };
}
