import { connect, createServer } from "node:net";

/** Hands out TCP ports that are free on this machine and not handed out already. */
export interface PortPool {
  /** @throws when fewer than `count` ports of the range are free. */
  take(count: number): Promise<number[]>;
  /** Gives ports back; ones that were never taken are ignored. */
  release(ports: readonly number[]): void;
}

export interface PortPoolOptions {
  /** First and last port. Default: 31000 and 32000, the range of a Mesos agent. */
  range?: readonly [number, number];
  /** Where a search starts, in [0, 1); default `Math.random`, so that two pools seldom meet. */
  random?: () => number;
  /** Whether a port can be listened on; default: try it on 127.0.0.1. */
  isFree?: (port: number) => Promise<boolean>;
}

export function portPool(options: PortPoolOptions = {}): PortPool {
  const [first, last] = options.range ?? [31000, 32000];
  const isFree = options.isFree ?? canListen;
  const taken = new Set<number>();
  const size = last - first + 1;
  let next = Math.floor((options.random ?? Math.random)() * size);

  async function takeOne(): Promise<number> {
    for (let tried = 0; tried < size; tried++) {
      const port = first + (next++ % size);
      if (taken.has(port)) continue;
      // Marked before the probe: two searches at the same time must not settle on one port.
      taken.add(port);
      if (await isFree(port)) return port;
      taken.delete(port);
    }
    throw new Error(`No free port is left between ${first} and ${last}`);
  }

  function release(ports: readonly number[]): void {
    for (const port of ports) taken.delete(port);
  }

  return {
    release,
    async take(count) {
      const ports: number[] = [];
      try {
        while (ports.length < count) ports.push(await takeOne());
      } catch (error) {
        release(ports);
        throw error;
      }
      return ports;
    },
  };
}

async function canListen(port: number): Promise<boolean> {
  return (await listens(port)) && !(await someoneAnswers(port));
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** On macOS a port may be bound on 127.0.0.1 while another process listens on all addresses. */
function someoneAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.setTimeout(500, () => socket.destroy());
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
  });
}
