import { isPathSpelling, lastSegment } from "../ids.ts";
import { type App, type PortDefinition, type PortMapping, ROLE } from "../model.ts";
import type { Profile } from "../profiles.ts";
import { notValid, type Violation } from "../refusal.ts";
import type { Spec } from "./complete.ts";
import { constraintViolation } from "./constraints.ts";

type Rule = (app: Spec, profile: Profile) => Violation[];

const MESOS_PROBES = ["MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP"];
const MARATHON_PROBES = ["HTTP", "HTTPS", "TCP"];

const rules: Rule[] = [
  idRules,
  whole("must not be an empty string", (app) => app.cmd?.length !== 1),
  whole(
    "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.",
    (app) => !(app.cmd && app.args) && Boolean(app.cmd || app.args || runsImage(app)),
  ),
  at(
    "/container/docker",
    "not defined",
    (app) => app.container?.type !== "DOCKER" || Boolean(app.container.docker),
  ),
  networkRules,
  portRules,
  ...checkRules(),
  (app) =>
    (app.constraints ?? []).flatMap((one, index) => {
      const error = constraintViolation(one);
      return error ? [{ path: `/constraints(${index})`, errors: [error] }] : [];
    }),
  at("/role", `expected one of: [${ROLE}]`, (app) => (app.role ?? ROLE) === ROLE),
  at("/acceptedResourceRoles", "acceptedResourceRoles can only contain * and the app's role", (app) =>
    (app.acceptedResourceRoles ?? []).every((role) => role === ROLE),
  ),
  whole(
    "GPU resources only work with the Mesos containerizer",
    (app) => app.gpus === 0 || app.container?.type !== "DOCKER",
  ),
  whole(
    "instances may not be greater than 1 for MARATHON_SINGLE_INSTANCE_APP",
    (app) => !isSingle(app) || app.instances <= 1,
  ),
  at(
    "/unreachableStrategy/inactiveAfterSeconds",
    "inactiveAfterSeconds must be less or equal to expungeAfterSeconds",
    ({ unreachableStrategy: one }) =>
      one === "disabled" || one.inactiveAfterSeconds <= one.expungeAfterSeconds,
  ),
  whole(
    "DCOS_PACKAGE_FRAMEWORK_NAME and DCOS_MIGRATION_API_PATH must be defined when using DCOS_MIGRATION_API_VERSION",
    migrationLabels,
  ),
];

/** Marathon's rules for one app beyond types and limits. @throws Refusal "Object is not valid" with every violation. */
export function checkApp(app: Spec, profile: Profile): void {
  const violations = rules.flatMap((rule) => rule(app, profile));
  if (violations.length > 0) throw notValid(violations);
}

function whole(error: string, holds: (app: Spec) => boolean): Rule {
  return at("/", error, holds);
}

function at(path: string, error: string, holds: (app: Spec) => boolean): Rule {
  return (app) => (holds(app) ? [] : [{ path, errors: [error] }]);
}

function idRules(app: Spec, profile: Profile): Violation[] {
  if (app.id === "/") return [{ path: "/", errors: ["must not be root"] }];
  if (!isPathSpelling(app.id)) {
    const regex =
      "^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$";
    return [{ path: "/id", errors: [`must fully match regular expression '${regex}'`] }];
  }
  if (!profile.reservedIds.includes(lastSegment(app.id))) return [];
  const error = `must not end with any of the following reserved keywords: ${profile.reservedIds.join(", ")}`;
  return [{ path: "/id", errors: [error] }];
}

function runsImage({ container }: Spec): boolean {
  return container !== undefined && (container.docker !== undefined || container.type === "MESOS");
}

function networkRules(app: Spec): Violation[] {
  const found: string[] = [];
  const of = (mode: string) => app.networks.filter((network) => network.mode === mode);
  if (app.networks.length > 1 && of("container").length < app.networks.length)
    found.push("Host and bridge mode networks must be the only network");
  if (of("host").some((one) => one.name || Object.keys(one.labels ?? {}).length > 0))
    found.push("Host networks must not have a name or labels");
  if (of("container/bridge").some((one) => one.name)) found.push("Bridge networks must not have a name");
  if (of("container").some((one) => !one.name))
    found.push("A container network must have a name, there is no default network");
  if (app.container?.type === "DOCKER" && of("container").length > 1)
    found.push("may only specify a single container network when using the Docker container engine");
  return found.length > 0 ? [{ path: "/networks", errors: found }] : [];
}

function portRules(app: Spec): Violation[] {
  const definitions = app.portDefinitions ?? [];
  const numbers = definitions.map((one) => one.port).filter((port) => port !== 0);
  return [
    ...namesUnique("/portDefinitions", definitions),
    ...(new Set(numbers).size < numbers.length
      ? [{ path: "/portDefinitions", errors: ["Ports must be unique."] }]
      : []),
    ...namesUnique("/container/portMappings", app.container?.portMappings ?? []),
  ];
}

function namesUnique(path: string, ports: (PortDefinition | PortMapping)[]): Violation[] {
  const names = ports.flatMap((port) => port.name ?? []);
  return new Set(names).size < names.length ? [{ path, errors: ["Port names must be unique."] }] : [];
}

/** Ports of an app as health checks and readiness checks address them. */
export function portsOf(app: Pick<App, "container" | "portDefinitions">): (PortDefinition | PortMapping)[] {
  return app.container?.portMappings?.length ? app.container.portMappings : (app.portDefinitions ?? []);
}

function checkRules(): Rule[] {
  return [
    (app) =>
      (app.healthChecks ?? []).flatMap((check, index) => {
        const count = portsOf(app).length;
        const addressed =
          check.portIndex === undefined ? check.port !== undefined || count === 1 : check.portIndex < count;
        if (addressed || check.command || !MARATHON_PROBES.includes(check.protocol)) return [];
        const error =
          "Health check port indices must address an element of the ports array or container port mappings.";
        return [{ path: `/healthChecks(${index})`, errors: [error] }];
      }),
    whole(
      "AppDefinition can contain at most one Mesos health check",
      (app) => (app.healthChecks ?? []).filter((one) => MESOS_PROBES.includes(one.protocol)).length <= 1,
    ),
    at(
      "/readinessChecks",
      "may not have more than 1 elements",
      (app) => (app.readinessChecks ?? []).length <= 1,
    ),
    (app) =>
      (app.readinessChecks ?? []).flatMap((check, index) => {
        const path = `/readinessChecks(${index})`;
        const found: Violation[] = [];
        if (!portsOf(app).some((port) => port.name === check.portName))
          found.push({
            path: `${path}/portName`,
            errors: [`No port definition reference for portName ${check.portName}`],
          });
        if (check.timeoutSeconds >= check.intervalSeconds)
          found.push({
            path: `${path}/timeoutSeconds`,
            errors: [`got ${check.timeoutSeconds}, expected less than ${check.intervalSeconds}`],
          });
        return found;
      }),
  ];
}

function isSingle(app: Spec): boolean {
  return app.labels.MARATHON_SINGLE_INSTANCE_APP === "true";
}

function migrationLabels({ labels }: Spec): boolean {
  const { DCOS_MIGRATION_API_VERSION: version } = labels;
  if (!version) return true;
  return version === "v1" && Boolean(labels.DCOS_PACKAGE_FRAMEWORK_NAME && labels.DCOS_MIGRATION_API_PATH);
}
