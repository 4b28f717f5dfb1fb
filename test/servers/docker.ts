import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import Docker from "dockerode";
import { busyboxTar } from "./busybox-image.ts";
import { launch, type Running, SEARCH_PATH } from "./docker-daemon.ts";
import { newPlace, removePlace } from "./docker-place.ts";

const NEEDED = ["dockerd", "iptables", "ip", "busybox", "unshare", "pgrep", "tar"];

/** Whether this machine can run a dockerd of ours (test/servers/install brings it; it needs root). */
export function hasDockerd(): boolean {
  return process.getuid?.() === 0 && NEEDED.every(isInstalled) && mayIsolate();
}

function isInstalled(program: string): boolean {
  return SEARCH_PATH.split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/** A container that tests may run in is root without the right to make namespaces. */
function mayIsolate(): boolean {
  const names = ["--net", "--mount", "--pid", "--fork"];
  return spawnSync("unshare", [...names, "true"], { stdio: "ignore", timeout: 10_000 }).status === 0;
}

export interface TestDockerOptions {
  /** More arguments for dockerd. */
  readonly args?: readonly string[];
  /** More of `daemon.json`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A dockerd of our own. Several may run at once: each has its own network, mounts and processes. */
export interface TestDocker {
  readonly socket: string;
  /** `unix:///…/docker.sock`. */
  readonly address: string;
  /** A client of it. */
  readonly client: Docker;
  /** The IPv4 address of the daemon's machine as seen from here: published ports are reached at it. */
  readonly host: string;
  /** This machine's IPv4 address as seen from the containers: listen on it (or on 0.0.0.0) to be reached by them. */
  readonly outside: string;
  /**
   * Makes an image of a static busybox with all its applets, and the given files.
   * @param files path in the image → text; executable.
   * @param command absolute path and arguments, `["/bin/httpd", "-f", "-p", "80", "-h", "/www"]`.
   */
  importImage(
    name: string,
    files: Readonly<Record<string, string>>,
    command: readonly string[],
  ): Promise<void>;
  /** Makes it the only manager of a swarm. Its routing mesh may not work; publish in host mode. */
  initSwarm(): Promise<void>;
  /** Stops dockerd as a service manager does (containers end too), or kills all of it at once; starts it on the same data. */
  restart(how?: "stop" | "kill"): Promise<void>;
  /** Ends dockerd and its containers and removes all of it. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts a private dockerd, ready for requests. @throws where `hasDockerd()` is false, or with dockerd's last words. */
export async function startDocker(options: TestDockerOptions = {}): Promise<TestDocker> {
  if (!hasDockerd()) throw new Error("dockerd cannot be run here: see test/servers/install");
  const place = newPlace(options.config, options.args);
  const client = new Docker({ socketPath: place.socket });
  let running: Running | undefined = await launch(place, client);
  async function end(signal: "SIGTERM" | "SIGKILL") {
    const ending = running;
    running = undefined;
    await ending?.end(signal);
  }
  return {
    socket: place.socket,
    address: `unix://${place.socket}`,
    client,
    host: place.host,
    outside: place.outside,
    async importImage(name, files, command) {
      const [repo, tag = "latest"] = name.split(/:(?=[^:/]*$)/);
      const changes = [`CMD ${JSON.stringify(command)}`];
      const answer = await client.importImage(Readable.from([busyboxTar(files)]), { repo, tag, changes });
      await text(answer); // the image is there when the answer has ended
    },
    async initSwarm() {
      await client.swarmInit({
        AdvertiseAddr: place.host,
        ListenAddr: `${place.host}:0`,
        ForceNewCluster: false,
      });
    },
    async restart(how = "stop") {
      await end(how === "stop" ? "SIGTERM" : "SIGKILL");
      running = await launch(place, client);
    },
    async stop() {
      await end("SIGKILL");
      await removePlace(place);
    },
  };
}
