import { createHash } from "node:crypto";
import { once } from "node:events";
import { open, realpath, stat, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

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
  const server = await alone(`${path}.guard`, () => hold(path)).catch((error: NodeJS.ErrnoException) => {
    // Without its cause, whose code EADDRINUSE would be taken for that of a port.
    if (error.code === "EADDRINUSE")
      throw new Error(`The data folder ${folder} is in use by another server.`);
    throw new Error(`The data folder ${folder} is not writable: ${error.message}.`, { cause: error });
  });
  return async () => {
    server.close();
    await once(server, "close");
  };
}

/** @throws with code EADDRINUSE when another process holds the socket. */
async function hold(path: string): Promise<Server> {
  try {
    return await listen(path);
  } catch (error) {
    const isTaken = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
    if (!isTaken || (await isAlive(path))) throw error;
    await unlink(path);
    return listen(path);
  }
}

/** A guard this old was left by a process that was killed within the few milliseconds for which it is held. */
const STALE_GUARD_MS = 5000;
const GUARD_PAUSE_MS = 15;

/** Does something while no other process does it: several that find a stale socket at once must not all remove it. */
async function alone<Result>(guard: string, act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      await (await open(guard, "wx")).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const since = await stat(guard).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    );
    if (since !== undefined && Date.now() - since > STALE_GUARD_MS)
      await unlink(guard).catch(() => undefined);
    else await delay(GUARD_PAUSE_MS);
  }
  try {
    return await act();
  } finally {
    await unlink(guard).catch(() => undefined);
  }
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
