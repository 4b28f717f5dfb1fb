import { createHash } from "node:crypto";
import { once } from "node:events";
import { realpath, unlink } from "node:fs/promises";
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
  const server = await listen(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") {
      throw new Error(`The data folder ${folder} is not writable: ${error.message}.`, { cause: error });
    }
    if (await isAlive(path)) {
      throw new Error(`The data folder ${folder} is in use by another server.`, { cause: error });
    }
    await unlink(path).catch(() => undefined);
    return listen(path);
  });
  return async () => {
    server.close();
    await once(server, "close");
  };
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
