import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { TestDocker } from "../servers/docker.ts";
import { run } from "./engine.ts";

export interface AppBuildOptions {
  readonly docker: TestDocker;
  /** The app's repository. */
  readonly url: string;
  /** The commit to build. */
  readonly commit: string;
  /** Without its tag: `registry:5000/shop/web`. */
  readonly image: string;
  /** Told when the registry has the image. */
  readonly onPushed?: () => void;
}

/**
 * What a CI does with a commit: clones it, makes an image of its files, and pushes that to the registry, tagged with what the
 * file `VERSION` says. @returns the tag.
 */
export async function buildApp({ docker, url, commit, image, onPushed }: AppBuildOptions): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-build-"));
  try {
    await git("clone", "--quiet", "--", url, folder);
    await git("-C", folder, "checkout", "--quiet", "--detach", commit);
    const read = (path: string) => readFile(join(folder, path), "utf8");
    const [version, page, start] = await Promise.all(["VERSION", "index.html", "start"].map(read));
    const tag = (version ?? "").trim();
    const files = { "/www/index.html": page ?? "", "/start": start ?? "" };
    await docker.importImage(`${image}:${tag}`, files, ["/bin/sh", "/start"]);
    await pushImage(docker, `${image}:${tag}`);
    onPushed?.();
    // From here on only the registry has it: whoever runs it pulls it.
    await docker.client.getImage(`${image}:${tag}`).remove();
    return tag;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pushImage({ client }: TestDocker, name: string): Promise<void> {
  // The Docker Engine takes no push without credentials, and this registry wants none.
  const progress = (await client
    .getImage(name)
    .push({ authconfig: { username: "", password: "" } })) as unknown as Readable;
  await new Promise<void>((resolve, reject) => {
    client.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
  });
}

async function git(...args: string[]): Promise<void> {
  const { code, output } = await run("git", args);
  if (code !== 0) throw new Error(`git ${args[0]} ended with ${code}: ${output}`);
}
