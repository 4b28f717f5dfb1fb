import { isJsonObject, type Json, type JsonObject } from "@sluice/core";
import type { Complaint } from "../../format/complaint.ts";
import { listIn, numberIn, objectIn, textIn } from "../../format/reading.ts";
import { deployOf, duration } from "./deploy.ts";
import { defined, definedAny, mapOf, textsOf } from "./lists.ts";
import { mountOf } from "./mounts.ts";
import { portsOf } from "./ports.ts";
import { STACK_LABEL, type Stack } from "./stack.ts";
import { fileMode, shellWords } from "./units.ts";

/**
 * A service of a Compose file, of the right shape, in the form of a service file.
 * @param found complaints are added to it, with paths below the service.
 */
export function translated(key: string, service: JsonObject, stack: Stack, found: Complaint[]): JsonObject {
  const deploy = objectIn(service.deploy) ?? {};
  const { service: ofService, template } = deployOf(deploy);
  const networks = networksOf(key, service.networks, stack, found);
  const mode = textIn(deploy.endpoint_mode);
  const ports = eachOf(service.ports, "ports", found, portsOf).flat();
  const stackLabel: JsonObject = stack.name === undefined ? {} : { [STACK_LABEL]: stack.name };
  return {
    Name: `${stack.prefix}${key}`,
    ...ofService,
    Labels: { ...objectIn(ofService.Labels), ...stackLabel },
    TaskTemplate: {
      ...template,
      ContainerSpec: containerOf(service, stack, stackLabel, found),
      ...(networks.attached.length > 0 ? { Networks: networks.attached } : {}),
      ...loggingOf(objectIn(service.logging)),
    },
    EndpointSpec: { ...(mode ? { Mode: mode } : {}), Ports: ports },
    ...(Object.keys(networks.made).length > 0 ? { networks: networks.made } : {}),
    configs: stack.declared("configs"),
    secrets: stack.declared("secrets"),
  };
}

function containerOf(
  service: JsonObject,
  stack: Stack,
  stackLabel: JsonObject,
  found: Complaint[],
): JsonObject {
  const mounts = eachOf(service.volumes, "volumes", found, (one) => mountOf(one, stack));
  const tmpfs = (textsOf(service.tmpfs) ?? []).map((one) => ({
    Type: "tmpfs",
    Target: one.split(":")[0] ?? "",
  }));
  const env = Object.entries(mapOf(service.environment)).map(([name, value]) => `${name}=${value}`);
  const given = (name: string): Json | undefined => service[name] ?? undefined;
  return defined({
    Image: given("image"),
    Labels: definedAny({ ...mapOf(service.labels), ...stackLabel }),
    Command: wordsOf(service.entrypoint),
    Args: wordsOf(service.command),
    Hostname: given("hostname"),
    Env: env.length > 0 ? env : undefined,
    Dir: given("working_dir"),
    User: given("user"),
    TTY: given("tty"),
    OpenStdin: given("stdin_open"),
    ReadOnly: given("read_only"),
    Init: given("init"),
    StopSignal: given("stop_signal"),
    StopGracePeriod: duration(service.stop_grace_period),
    Healthcheck: healthCheckOf(objectIn(service.healthcheck)),
    Hosts: hostsOf(service.extra_hosts),
    DNSConfig: definedAny({
      Nameservers: textsOf(service.dns),
      Search: textsOf(service.dns_search),
      Options: textsOf(service.dns_opt),
    }),
    CapabilityAdd: given("cap_add"),
    CapabilityDrop: given("cap_drop"),
    Sysctls: definedAny(mapOf(service.sysctls)),
    Ulimits: ulimitsOf(objectIn(service.ulimits)),
    Isolation: given("isolation"),
    Mounts: mounts.length + tmpfs.length > 0 ? [...mounts, ...tmpfs] : undefined,
    Configs: referencesOf("configs", service.configs, stack, found),
    Secrets: referencesOf("secrets", service.secrets, stack, found),
  });
}

/** What each entry of a list becomes; a text in its place says what is wrong with it. */
function eachOf<T extends JsonObject | readonly JsonObject[]>(
  list: Json | undefined,
  key: string,
  found: Complaint[],
  read: (one: Json) => T | string,
): readonly T[] {
  return listIn(list).flatMap((one, at): T[] => {
    const made = read(one);
    if (typeof made !== "string") return [made];
    found.push({ path: [key, at], message: made });
    return [];
  });
}

function wordsOf(command: Json | undefined): readonly string[] | undefined {
  return typeof command === "string" ? shellWords(command) : textsOf(command);
}

function healthCheckOf(check: JsonObject | undefined): JsonObject | undefined {
  if (!check) return undefined;
  if (check.disable === true) return { Test: ["NONE"] };
  const test = check.test;
  return definedAny({
    Test: typeof test === "string" ? ["CMD-SHELL", test] : (test ?? undefined),
    Interval: duration(check.interval),
    Timeout: duration(check.timeout),
    Retries: check.retries ?? undefined,
    StartPeriod: duration(check.start_period),
  });
}

/** Swarm takes lines of a hosts file; Compose writes `name:address`. */
function hostsOf(hosts: Json | undefined): readonly string[] | undefined {
  const pairs: readonly (readonly [string, string])[] = isJsonObject(hosts)
    ? Object.entries(hosts).map(([name, address]) => [name, String(address)])
    : listIn(hosts).map((one) => {
        const [name = "", address = ""] = String(one).split(/[:=](.*)/s);
        return [name, address];
      });
  return pairs.length > 0 ? pairs.map(([name, address]) => `${address} ${name}`) : undefined;
}

function ulimitsOf(limits: JsonObject | undefined): readonly JsonObject[] | undefined {
  if (!limits) return undefined;
  return Object.entries(limits).map(([Name, limit]) => {
    const both = numberIn(limit);
    const { soft, hard } = objectIn(limit) ?? {};
    return { Name, Soft: numberIn(soft) ?? both ?? 0, Hard: numberIn(hard) ?? both ?? 0 };
  });
}

function loggingOf(logging: JsonObject | undefined): JsonObject {
  return logging
    ? { LogDriver: { Name: textIn(logging.driver) ?? "json-file", Options: mapOf(logging.options) } }
    : {};
}

function networksOf(key: string, given: Json | undefined, stack: Stack, found: Complaint[]) {
  const byDefault = stack.name === undefined ? [] : ["default"];
  const list = isJsonObject(given)
    ? Object.keys(given)
    : given === undefined || given === null
      ? byDefault
      : listIn(given).map(String);
  const attached: JsonObject[] = [];
  const made: Record<string, Json> = {};
  for (const [at, name] of list.entries()) {
    const network = stack.network(name);
    if (!network) {
      found.push({
        path: ["networks", isJsonObject(given) ? name : at],
        message: `there is no network ${name} below the file's networks`,
      });
      continue;
    }
    const aliases = textsOf(objectIn(objectIn(given)?.[name])?.aliases) ?? [];
    attached.push({ Target: network.name, Aliases: [...aliases, key] });
    if (network.made) made[network.name] = network.made;
  }
  return { attached, made };
}

function referencesOf(
  kind: "configs" | "secrets",
  list: Json | undefined,
  stack: Stack,
  found: Complaint[],
): readonly JsonObject[] | undefined {
  if (listIn(list).length === 0) return undefined;
  const declared = stack.declared(kind);
  const name = kind === "configs" ? "ConfigName" : "SecretName";
  return eachOf(list, kind, found, (one) => {
    const reference = objectIn(one) ?? { source: one };
    const source = textIn(reference.source) ?? "";
    if (declared[source] === undefined) return `there is no ${source} below the file's ${kind}`;
    const target = textIn(reference.target) ?? (kind === "configs" ? `/${source}` : source);
    const mode = reference.mode;
    const File = {
      Name: target,
      UID: textIn(reference.uid) ?? "0",
      GID: textIn(reference.gid) ?? "0",
      Mode: typeof mode === "string" || typeof mode === "number" ? (fileMode(mode) ?? 0) : 0o444,
    };
    return { [name]: source, File };
  });
}

/** The keys of the services a service waits for. */
export function dependenciesOf(
  service: JsonObject,
): readonly (readonly [place: string | number, key: string])[] {
  const given = service.depends_on;
  if (isJsonObject(given)) return Object.keys(given).map((key) => [key, key]);
  return listIn(given).map((key, at) => [at, String(key)]);
}
