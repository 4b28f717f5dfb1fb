import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { link, realpath, rename, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A socket path longer than this does not fit the kernel's `sun_path` (104 bytes on the strictest system). */
const LONGEST_SOCKET_PATH = 100;

/**
 * Makes this process the only one that uses the folder, until it calls the returned function or ends in any way: the
 * lock is a listening socket, which the kernel closes with the process, so a killed server leaves nothing stale.
 *
 * @throws Error with one sentence when another process holds the folder or the folder is not writable.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = socketPath(await realpath(folder));
  const server = await hold(path, TRIES).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "EADDRINUSE")
      throw new Error(`The data folder ${folder} is in use by another server.`, { cause: error });
    throw new Error(`The data folder ${folder} is not writable: ${error.message}.`, { cause: error });
  });
  return async () => {
    server.close();
    await once(server, "close");
  };
}

/** Several servers may find the same stale socket at once; each round at least one of them gets on. */
const TRIES = 5;

/** @throws with code EADDRINUSE when another process holds the socket. */
async function hold(path: string, tries: number): Promise<Server> {
  try {
    return await listen(path);
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    if (!isTaken || tries <= 1 || (await isAlive(path))) throw error;
    await putAside(path);
    return hold(path, tries - 1);
  }
}

/** Removes a stale socket. A rename takes exactly one file, so one that came to life meanwhile is seen and put back. */
async function putAside(path: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if (await isAlive(aside)) await link(aside, path).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
}

function socketPath(folder: string): string {
  const inside = join(folder, "lock");
  if (Buffer.byteLength(inside) <= LONGEST_SOCKET_PATH) return inside;
  return join(tmpdir(), `sluice-${createHash("sha256").update(folder).digest("hex").slice(0, 24)}`);
}

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen(path);
  await once(server, "listening");
  return server;
}

/** Whether a process listens behind the socket file, or the file was left by one that died. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
