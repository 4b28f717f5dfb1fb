import { ConsulError } from "../http/answer.ts";
import { dictionary, type Fields, fieldsOf, flag, integer, objects, text, texts } from "../http/go-json.ts";
import { DATACENTER } from "../http/request.ts";
import type { Check, CheckStatus, Node, Service, TaggedAddresses, Unindexed } from "./types.ts";

/** A decoded `/v1/catalog/register`. */
export interface Registration {
  /** `full` is absent with SkipNodeUpdate: the node must be there and stays as it is. */
  node: { name: string; full?: Unindexed<Node> };
  service?: Unindexed<Service>;
  checks: Unindexed<Check>[];
}

/** @throws ConsulError in Consul's words. */
export function parseRegistration(fields: Fields): Registration {
  const name = text(fields, "Node");
  if (name === "") throw new ConsulError(500, "Must provide node");
  const address = text(fields, "Address");
  const skip = flag(fields, "SkipNodeUpdate");
  if (address === "" && !skip)
    throw new ConsulError(500, "Must provide address if SkipNodeUpdate is not set");
  const full = {
    ID: text(fields, "ID"),
    Node: name,
    Address: address,
    Datacenter: DATACENTER,
    TaggedAddresses: dictionary(fields, "TaggedAddresses") ?? null,
    Meta: dictionary(fields, "NodeMeta") ?? null,
  };
  const service = fieldsOf(fields.get("service"));
  const single = fields.get("check") ?? undefined;
  const checks = [...objects(fields, "Checks"), ...(single === undefined ? [] : [single])];
  return {
    node: skip ? { name } : { name, full },
    ...(service ? { service: parseService(service, "Service") } : {}),
    checks: checks.map((one) => parseCheck(fieldsOf(one) ?? new Map(), name)),
  };
}

export function parseDeregistration(fields: Fields): { node: string; serviceId: string; checkId: string } {
  const node = text(fields, "Node");
  if (node === "") throw new ConsulError(500, "Must provide node");
  return { node, serviceId: text(fields, "ServiceID"), checkId: text(fields, "CheckID") };
}

/**
 * A service in the form of the catalog (`Service` names it) or of the agent (`Name` names it).
 *
 * @throws ConsulError (400) without a name.
 */
export function parseService(fields: Fields, nameField: "Service" | "Name"): Unindexed<Service> {
  const name = text(fields, nameField);
  if (name === "") throw new ConsulError(nameField === "Name" ? 400 : 500, "Missing service name");
  const address = text(fields, "Address");
  const port = integer(fields, "Port");
  const weights = fieldsOf(fields.get("weights"));
  const tagged = (fields.get("taggedaddresses") ?? undefined) as TaggedAddresses | undefined;
  // The agent, unlike the catalog, derives tagged addresses from the address.
  const derived = nameField === "Name" && address ? derivedAddresses(address, port) : undefined;
  const addresses = tagged || derived ? { TaggedAddresses: { ...derived, ...tagged } } : {};
  return {
    ID: text(fields, "ID") || name,
    Service: name,
    Tags: texts(fields, "Tags") ?? [],
    Address: address,
    ...addresses,
    Meta: dictionary(fields, "Meta") ?? null,
    Port: port,
    Weights: weights
      ? { Passing: integer(weights, "Passing"), Warning: integer(weights, "Warning") }
      : { Passing: 1, Warning: 1 },
    EnableTagOverride: flag(fields, "EnableTagOverride"),
  };
}

function derivedAddresses(address: string, port: number): TaggedAddresses {
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const entry = { Address: address, Port: port };
  return /^[\d.]+$|:/.test(address) ? { [`lan_${family}`]: entry, [`wan_${family}`]: entry } : {};
}

function parseCheck(fields: Fields, node: string): Unindexed<Check> {
  const name = text(fields, "Name");
  return {
    Node: text(fields, "Node") || node,
    CheckID: text(fields, "CheckID") || name,
    Name: name,
    Status: checkStatus(text(fields, "Status")),
    Notes: text(fields, "Notes"),
    Output: text(fields, "Output"),
    ServiceID: text(fields, "ServiceID"),
    ServiceName: "",
    ServiceTags: [],
    Type: "",
    Definition: {},
  };
}

/** A check without a status is critical until someone says otherwise. */
export function checkStatus(given: string): CheckStatus {
  if (given === "") return "critical";
  if (given === "passing" || given === "warning" || given === "critical") return given;
  throw new ConsulError(400, "Status for checks must 'passing', 'warning', 'critical'");
}
