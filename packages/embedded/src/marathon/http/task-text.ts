import type { App } from "../model.ts";
import { portsOf } from "../root/service-ports.ts";
import type { Instance } from "../tasks/instance.ts";
import type { Api } from "./api.ts";
import type { Answer } from "./router.ts";

/** Whether a client wants the tasks as lines of text, as load-balancer scripts do. */
export function wantsText(accept: string | undefined): boolean {
  return (accept?.includes("text/plain") ?? false) && !accept?.includes("json");
}

/** The tasks of apps as text; pods are left out. */
export function taskText(apps: readonly App[], api: Api): Answer {
  const lines = apps
    .filter((app) => !app.pod)
    .map((app) => taskLines(app, api.fleets.get(app.id)?.instances() ?? [], api.host));
  return { status: 200, text: lines.join(""), headers: { "Content-Type": "text/plain" } };
}

/**
 * A line per service port: `<id joined by _> TAB <service port> TAB`, then `<host>:<port> TAB` for every running task.
 * An app without ports has one line, with a blank port and bare hosts.
 */
function taskLines(app: App, instances: readonly Instance[], host: string): string {
  const name = app.id.slice(1).replaceAll("/", "_");
  const running = instances.filter((one) => one.state === "TASK_RUNNING");
  const ports = portsOf(app);
  if (ports.length === 0) return `${name}\t \t${running.map(() => `${host}\t`).join("")}\n`;
  return ports
    .map((port, index) => {
      const places = running.map((one) => `${host}:${one.ports[index] ?? 0}\t`);
      return `${name}\t${port}\t${places.join("")}\n`;
    })
    .join("");
}
