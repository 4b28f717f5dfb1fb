import type { Json, JsonObject } from "@sluice/core";
import { objectIn, objectsIn, textIn } from "../../format/reading.ts";
import { isExternal } from "../declared.ts";
import { mapOf } from "./lists.ts";

/** What the services of one Compose file share. */
export interface Stack {
  /** The file's `name`; names in the swarm begin with it. */
  readonly name: string | undefined;
  /** `shop_`, or nothing. */
  readonly prefix: string;
  /** A volume's name and mount options; undefined: the file has no such volume. */
  volume(key: string): { readonly name: string; readonly options: JsonObject } | undefined;
  /** A network's name, and what to make where it is the stack's own; undefined: the file has no such network. */
  network(key: string): { readonly name: string; readonly made: JsonObject | undefined } | undefined;
  /** `configs` or `secrets` as a service file has them. */
  declared(kind: "configs" | "secrets"): JsonObject;
}

/** The label by which `docker stack ls` knows a stack's services. */
export const STACK_LABEL = "com.docker.stack.namespace";

export function stackOf(file: JsonObject): Stack {
  const name = textIn(file.name);
  const prefix = name === undefined ? "" : `${name}_`;
  const ofStack = (): JsonObject => (name === undefined ? {} : { [STACK_LABEL]: name });
  return {
    name,
    prefix,
    volume(key) {
      const given = objectIn(file.volumes)?.[key];
      if (given === undefined) return undefined;
      const volume = objectIn(given) ?? {};
      const driver = textIn(volume.driver);
      const driverConfig = driver
        ? { DriverConfig: { Name: driver, Options: objectIn(volume.driver_opts) ?? {} } }
        : objectIn(volume.driver_opts)
          ? { DriverConfig: { Name: "local", Options: objectIn(volume.driver_opts) ?? {} } }
          : {};
      const labels = mapOf(volume.labels);
      return {
        name: nameOf(key, volume, prefix),
        options: isExternal(volume)
          ? {}
          : { ...driverConfig, ...(Object.keys(labels).length > 0 ? { Labels: labels } : {}) },
      };
    },
    network(key) {
      const given = objectIn(file.networks)?.[key];
      if (given === undefined && key !== "default") return undefined;
      const network = objectIn(given) ?? {};
      const made = isExternal(network) ? undefined : networkBody(network, ofStack());
      return { name: nameOf(key, network, prefix), made };
    },
    declared(kind) {
      const entries = Object.entries(objectIn(file[kind]) ?? {}).map(([key, value]): [string, Json] => {
        const given = objectIn(value) ?? {};
        const labels = { ...ofStack(), ...mapOf(given.labels) };
        return [key, { ...given, name: nameOf(key, given, prefix), labels }];
      });
      return Object.fromEntries(entries);
    },
  };
}

/** `name`, or the old form `external: { name }`, or the key below the stack's name. */
function nameOf(key: string, given: JsonObject, prefix: string): string {
  const named = textIn(given.name) ?? textIn(objectIn(given.external)?.name);
  return named ?? (isExternal(given) ? key : `${prefix}${key}`);
}

function networkBody(network: JsonObject, labels: JsonObject): JsonObject {
  const ipam = objectIn(network.ipam);
  const config = objectsIn(ipam?.config).map(([, one]) => ({
    ...(textIn(one.subnet) ? { Subnet: one.subnet ?? "" } : {}),
    ...(textIn(one.gateway) ? { Gateway: one.gateway ?? "" } : {}),
    ...(textIn(one.ip_range) ? { IPRange: one.ip_range ?? "" } : {}),
  }));
  return {
    Driver: textIn(network.driver) ?? "overlay",
    Attachable: network.attachable === true,
    Internal: network.internal === true,
    EnableIPv6: network.enable_ipv6 === true,
    Options: objectIn(network.driver_opts) ?? {},
    Labels: { ...labels, ...mapOf(network.labels) },
    ...(ipam ? { IPAM: { Driver: textIn(ipam.driver) ?? "default", Config: config } } : {}),
  };
}
