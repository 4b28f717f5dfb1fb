import { join } from "node:path";
import { type Clock, messageOf, SluiceError } from "@sluice/core";
import type { Config } from "../config/schema.ts";
import type { Closers } from "./closers.ts";
import type { Role } from "./roles.ts";

/** Where the servers answer that stand in for real ones, whether this process runs them or another does. */
export interface EmbeddedAddresses {
  readonly consul: string;
  readonly marathon: string;
  readonly chronos: string;
}

type EmbeddedRole = keyof EmbeddedAddresses;

interface Server {
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Starts the embedded servers among the roles.
 * @throws PORT_TAKEN, DATA_DIR_UNUSABLE with one sentence that says which server and what to do.
 */
export async function startEmbedded(
  config: Config,
  roles: ReadonlySet<Role>,
  clock: Clock,
  closing: Closers,
): Promise<EmbeddedAddresses> {
  const { consulPort, marathonPort, chronosPort } = config.embedded;
  const start: {
    readonly [R in EmbeddedRole]: { port: number; open: (dataDir: string) => Promise<Server> };
  } = {
    consul: {
      port: consulPort,
      open: async (dataDir) => (await servers()).embeddedConsul({ dataDir, port: consulPort, clock }),
    },
    marathon: {
      port: marathonPort,
      open: async (dataDir) => (await servers()).embeddedMarathon({ dataDir, port: marathonPort, clock }),
    },
    chronos: {
      port: chronosPort,
      open: async (dataDir) => (await servers()).embeddedChronos({ dataDir, port: chronosPort, clock }),
    },
  };
  const addresses = {} as { -readonly [R in EmbeddedRole]: string };
  for (const role of ["consul", "marathon", "chronos"] as const) {
    const { port, open } = start[role];
    addresses[role] = `http://127.0.0.1:${port}`;
    if (!roles.has(role)) continue;
    const server = await open(join(config.dataDir, role)).catch((error: unknown) => fail(role, port, error));
    closing.add(`embedded ${role}`, () => server.stop());
    addresses[role] = server.address;
  }
  return addresses;
}

/** Loaded only by a process that runs one of them. */
function servers() {
  return import("@sluice/embedded");
}

function fail(role: EmbeddedRole, port: number, error: unknown): never {
  const code = portTaken(error) ? "PORT_TAKEN" : "DATA_DIR_UNUSABLE";
  const what =
    code === "PORT_TAKEN"
      ? `port ${port} for the embedded ${role} is taken`
      : `the embedded ${role} cannot start: ${messageOf(error)}`;
  const hint = code === "PORT_TAKEN" ? `Stop what listens there, or set embedded.${role}Port.` : undefined;
  throw new SluiceError(code, what, { cause: error, ...(hint ? { hint } : {}) });
}

/** True where an error, or one of its causes, is the system's "address already in use". */
export function portTaken(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) {
    if ((one as NodeJS.ErrnoException).code === "EADDRINUSE") return true;
  }
  return false;
}
