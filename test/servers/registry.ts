import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";

const PROGRAM = "/usr/bin/docker-registry";

/** Whether this machine has Docker's registry (test/servers/install brings it). */
export function hasRegistry(): boolean {
  return existsSync(PROGRAM);
}

/** A real image registry. */
export interface TestRegistry {
  /** `127.0.0.1:40123`: what its images' names begin with. */
  readonly host: string;
  /** Pushes an image that holds nothing but its tag, as `docker push` does; resolves with the manifest's digest. */
  push(repository: string, tag: string): Promise<string>;
  output(): string;
  stop(): Promise<void>;
}

export interface NotifiedEndpoint {
  readonly url: string;
  /** The header `Authorization` that notifications bear. */
  readonly authorization: string;
}

/**
 * @param notified who is told of what is pushed; undefined: nobody.
 * @param address of this machine to listen on.
 */
export async function startRegistry(
  notified: NotifiedEndpoint | undefined,
  address = "127.0.0.1",
): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-registry-"));
  const host = `${address}:${await freePort()}`;
  const config = {
    version: "0.1",
    log: { level: "warn" },
    storage: { filesystem: { rootdirectory: join(folder, "data") } },
    http: { addr: host },
    ...(notified ? { notifications: { endpoints: [endpointOf(notified)] } } : {}),
  };
  await writeFile(join(folder, "config.yml"), JSON.stringify(config));
  const child = spawn(PROGRAM, ["serve", join(folder, "config.yml")], { stdio: ["ignore", "pipe", "pipe"] });
  const output = outputOf(child);
  const ended = new Promise((resolve) => child.once("close", resolve));
  const base = `http://${host}/v2`;
  await eventually("the registry answers", async () => ((await fetch(`${base}/`)).ok ? true : undefined));
  return {
    host,
    output,
    push: (repository, tag) => pushImage(`${base}/${repository}`, tag),
    async stop() {
      child.kill("SIGTERM");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function endpointOf({ url, authorization }: NotifiedEndpoint): object {
  const headers = { Authorization: [authorization] };
  return { name: "sluice", url, headers, timeout: "5s", threshold: 3, backoff: "200ms" };
}

function outputOf(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (part: string) => (text += part));
  return () => text;
}

const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";

async function pushImage(repository: string, tag: string): Promise<string> {
  const config = await pushBlob(
    repository,
    Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", tag })),
  );
  const layer = await pushBlob(repository, Buffer.from(`layer of ${tag}`));
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: "application/vnd.docker.container.image.v1+json", ...config },
    layers: [{ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", ...layer }],
  };
  const put = await fetch(`${repository}/manifests/${tag}`, {
    method: "PUT",
    headers: { "content-type": MANIFEST },
    body: JSON.stringify(manifest),
  });
  if (put.status !== 201) throw new Error(`the registry took no manifest: ${put.status} ${await put.text()}`);
  return put.headers.get("docker-content-digest") ?? "";
}

async function pushBlob(repository: string, bytes: Buffer): Promise<{ digest: string; size: number }> {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const begun = await fetch(`${repository}/blobs/uploads/`, { method: "POST" });
  const place = new URL(begun.headers.get("location") ?? "", repository);
  place.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  const put = await fetch(place, { method: "PUT", headers, body: new Uint8Array(bytes) });
  if (put.status !== 201) throw new Error(`the registry took no blob: ${put.status} ${await put.text()}`);
  return { digest, size: bytes.length };
}
