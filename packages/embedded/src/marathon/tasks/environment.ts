import { portsOf } from "../app/validation.ts";
import type { App } from "../model.ts";
import type { Instance } from "./instance.ts";
import { hostPortsWanted } from "./resources.ts";

/** Longest label that Marathon hands on, in characters. */
const LONGEST_LABEL = 512;

/**
 * The environment of a task: `base`, then what Marathon sets, then the app's own. Secrets are left out, having no store here.
 * @param base what a command needs to run at all, such as PATH; never the engine's whole environment.
 */
export function environmentOf(
  instance: Instance,
  place: { base: Record<string, string>; host: string; sandbox: string },
): Record<string, string> {
  const { app } = instance;
  const own = Object.entries(app.env ?? {}).filter(
    (one): one is [string, string] => typeof one[1] === "string",
  );
  return {
    ...place.base,
    HOST: place.host,
    MESOS_SANDBOX: place.sandbox,
    MESOS_TASK_ID: instance.taskId,
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: app.version,
    MARATHON_APP_RESOURCE_CPUS: decimal(app.cpus),
    MARATHON_APP_RESOURCE_MEM: decimal(app.mem),
    MARATHON_APP_RESOURCE_DISK: decimal(app.disk),
    MARATHON_APP_RESOURCE_GPUS: String(app.gpus),
    ...(app.container?.docker && { MARATHON_APP_DOCKER_IMAGE: app.container.docker.image }),
    ...labelVariables(app),
    ...portVariables(instance),
    ...Object.fromEntries(own),
  };
}

function labelVariables({ labels }: App): Record<string, string> {
  const entries = Object.entries(labels)
    .filter(([, value]) => value.length <= LONGEST_LABEL)
    .map(([key, value]) => [variable(key), value] as const);
  return {
    MARATHON_APP_LABELS: entries.map(([key]) => key).join(" "),
    ...Object.fromEntries(entries.map(([key, value]) => [`MARATHON_APP_LABEL_${key}`, value])),
  };
}

function portVariables({ app, ports }: Instance): Record<string, string> {
  const result: Record<string, string> = {};
  const declared = portsOf(app).filter((_, index) => hostPortsWanted(app)[index] !== undefined);
  for (const [index, port] of ports.entries()) {
    const text = String(port);
    const one = declared[index];
    const number = one && ("containerPort" in one ? one.containerPort : one.port);
    result[`PORT${index}`] = text;
    if (number) result[`PORT_${number}`] = text;
    if (one?.name) result[`PORT_${variable(one.name)}`] = text;
  }
  const [first] = ports;
  return first === undefined ? result : { ...result, PORT: String(first), PORTS: ports.join(",") };
}

function variable(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9_]+/g, "_");
}

/** As the JVM prints a double: `1.0`, `0.5`. */
function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
