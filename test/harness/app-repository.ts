import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gitHttpBackend, initBareRepository } from "@sluice/git";

/** An app's bare repository, served over HTTP as a Git host does: its hooks run in a push. */
export interface AppRepository {
  readonly folder: string;
  readonly url: string;
  stop(): Promise<void>;
}

/** @param name of the app: the repository's folder is `<name>.git`. */
export async function appRepository(name: string): Promise<AppRepository> {
  const parent = await mkdtemp(join(tmpdir(), "sluice-app-"));
  const folder = join(parent, `${name}.git`);
  await initBareRepository(folder, { defaultBranch: "main" });
  const serve = gitHttpBackend({ repositories: { [name]: folder } });
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    folder,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}.git`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(parent, { recursive: true, force: true });
    },
  };
}
