import { runBuildTrigger } from "./build-trigger.ts";
import { runNotifier } from "./notifier.ts";
import { runRegistrar } from "./registrar.ts";
import type { Role } from "./roles.ts";
import { runRouter } from "./router.ts";
import type { ServiceOptions } from "./service-options.ts";

/** A service that works for the whole engine, whatever environments there are. */
interface WideService {
  readonly role: Role;
  /** Runs until the signal aborts; loads what it needs itself. */
  run(options: ServiceOptions, signal: AbortSignal): Promise<void>;
}

export const WIDE_SERVICES: readonly WideService[] = [
  { role: "registrar", run: runRegistrar },
  { role: "router", run: runRouter },
  { role: "build-trigger", run: runBuildTrigger },
  { role: "notifier", run: runNotifier },
];
