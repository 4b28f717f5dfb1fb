import type { EventSink } from "@sluice/core";
import type { Looked } from "../engine/look.ts";
import { metrics } from "../engine/metrics.ts";
import { type ReadinessOptions, readiness } from "../engine/readiness.ts";
import { installHooks } from "../hook/install.ts";
import type { HttpOptions } from "./context.ts";
import { startHttp } from "./server.ts";

/** What the role `http` adds to an engine. Loaded only by a process that has it. */
export interface HttpRole {
  /** To be told every event. */
  readonly sinks: readonly EventSink[];
  readonly looked: Looked;
  /** Starts the server, and installs the hooks of the hosted repository. @throws as `startHttp` */
  serve(options: Omit<HttpOptions, "metrics" | "readiness">): Promise<{ address: string }>;
}

export function httpRole(watched: ReadinessOptions): HttpRole {
  const numbers = metrics(() => watched.clock.now());
  const ready = readiness(watched);
  return {
    sinks: [numbers.sink, ready.sink],
    looked(look) {
      numbers.looked(look);
      ready.looked(look);
    },
    async serve(options) {
      const { hosted, config } = options;
      const http = await startHttp({ ...options, metrics: numbers, readiness: ready });
      if (hosted)
        await installHooks(hosted, {
          server: http.address,
          offline: "accept",
          tokenFile: config.http.tokenFile,
        });
      return http;
    },
  };
}
