import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * The wires between the servers of a cluster, as a process of their own: the Raft and RPC traffic of each server arrives
 * here first, and is passed on unless one of its two ends is cut off. Ends with the process that forked it.
 */
export interface LinkSettings {
  /** Where others send to, and where the server really listens; the position is the server's number. */
  readonly servers: readonly { readonly shown: string; readonly real: string; readonly port: number }[];
}

/** Which servers nobody reaches, and which reach nobody. Answered by the same message. */
export interface LinkOrder {
  readonly cutOff: readonly number[];
}

let cutOff: ReadonlySet<number> = new Set();
const open = new Set<{ from: number; to: number; ends: readonly Socket[] }>();

process.on("message", (message: LinkSettings | LinkOrder) => {
  if ("servers" in message) void serve(message).then(() => process.send?.("ready"));
  else {
    cutOff = new Set(message.cutOff);
    for (const link of open) if (isCut(link.from, link.to)) for (const end of link.ends) end.destroy();
    process.send?.(message);
  }
});
process.on("disconnect", () => process.exit());

async function serve({ servers }: LinkSettings): Promise<void> {
  const numbers = new Map(servers.map(({ real }, number) => [real, number]));
  await Promise.all(
    servers.map(({ shown, real, port }, to) => {
      const door = createServer({ allowHalfOpen: false }, (near) => {
        // A server's own connections start from the address it listens on.
        const from = numbers.get(near.remoteAddress ?? "") ?? to;
        near.on("error", () => near.destroy());
        if (isCut(from, to)) near.destroy();
        else join({ from, to, ends: [near, connect(port, real)] });
      });
      return listening(door, port, shown);
    }),
  );
}

function isCut(from: number, to: number): boolean {
  return from !== to && (cutOff.has(from) || cutOff.has(to));
}

function join(link: { from: number; to: number; ends: readonly [Socket, Socket] }): void {
  const [near, far] = link.ends;
  open.add(link);
  near.pipe(far).pipe(near);
  for (const end of link.ends) {
    end.on("error", () => end.destroy());
    end.on("close", () => {
      open.delete(link);
      near.destroy();
      far.destroy();
    });
  }
}

function listening(server: Server, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => resolve());
  });
}
