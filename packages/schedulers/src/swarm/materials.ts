import type { Json, JsonObject } from "@sluice/core";
import { objectIn, objectsIn, textIn } from "../format/reading.ts";
import type { MaterialKind, SwarmClient } from "./client.ts";
import { conflict } from "./failure.ts";
import { MARK_LABEL, markOf } from "./mark.ts";

/** The name a config or secret has in its file, on the object that was made of it. */
const BASE_LABEL = "sluice/base";

/** What is to be made for a service before it is written, by name; see `service-file.ts`. */
export function materialsIn(
  spec: JsonObject,
  kind: MaterialKind,
): readonly (readonly [string, JsonObject])[] {
  return Object.entries(objectIn(spec[kind]) ?? {}).flatMap(([name, one]) => {
    const material = objectIn(one);
    return material ? [[name, material] as const] : [];
  });
}

/**
 * Makes the configs, secrets and networks a spec brings along, where they are not there, and gives the service as the API
 * takes it: what it refers to by name has the ids of this swarm.
 * @throws SCHEDULER_CONFLICT where something it refers to is not there (yet).
 */
export async function withMaterials(
  client: SwarmClient,
  spec: JsonObject,
  mark: string,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  for (const kind of ["configs", "secrets", "networks"] as const)
    await make(client, { spec, mark, kind }, signal);
  const { configs: _configs, secrets: _secrets, networks: _networks, ...service } = spec;
  const template = objectIn(service.TaskTemplate);
  const container = objectIn(template?.ContainerSpec);
  if (!template || !container) return service;
  const resolved: Record<string, Json> = {};
  for (const [list, kind, name, id] of REFERENCES)
    if (container[list] !== undefined)
      resolved[list] = await resolve(client, { list: container[list], kind, name, id }, signal);
  return { ...service, TaskTemplate: { ...template, ContainerSpec: { ...container, ...resolved } } };
}

const REFERENCES = [
  ["Configs", "configs", "ConfigName", "ConfigID"],
  ["Secrets", "secrets", "SecretName", "SecretID"],
] as const;

interface Making {
  readonly spec: JsonObject;
  readonly mark: string;
  readonly kind: MaterialKind;
}

async function make(client: SwarmClient, { spec, mark, kind }: Making, signal: AbortSignal | undefined) {
  const wanted = materialsIn(spec, kind);
  if (wanted.length === 0) return;
  const present = new Map((await client.materials(kind, signal)).map((one) => [materialName(one), one]));
  for (const [name, material] of wanted) {
    const there = present.get(name);
    if (there === undefined) await client.createMaterial(kind, bodyOf(kind, name, material, mark), signal);
    else if (kind === "configs" && textIn(objectIn(there.Spec)?.Data) !== material.Data)
      throw conflict(`there is a config ${name} with another content, which Sluice did not make`);
  }
}

function bodyOf(kind: MaterialKind, name: string, material: JsonObject, mark: string): JsonObject {
  if (kind === "networks")
    return {
      Name: name,
      Driver: "overlay",
      CheckDuplicate: true,
      ...material,
      Labels: { ...objectIn(material.Labels), [MARK_LABEL]: mark },
    };
  const base = textIn(material.base) ?? name;
  const labels = { ...objectIn(material.Labels), [MARK_LABEL]: mark, [BASE_LABEL]: base };
  return { Name: name, Labels: labels, Data: material.Data ?? "" };
}

interface References {
  readonly list: Json;
  readonly kind: MaterialKind;
  readonly name: string;
  readonly id: string;
}

async function resolve(
  client: SwarmClient,
  { list, kind, name, id }: References,
  signal: AbortSignal | undefined,
) {
  const ids = new Map((await client.materials(kind, signal)).map((one) => [materialName(one), one.ID ?? ""]));
  return objectsIn(list).map(([, reference]) => {
    const wanted = textIn(reference[name]) ?? "";
    const found = ids.get(wanted);
    if (found === undefined) throw conflict(`the ${kind.slice(0, -1)} ${wanted} is not in the swarm`);
    return { ...reference, [id]: found };
  });
}

/** A config's, a secret's or a network's name. */
function materialName(one: JsonObject): string {
  return textIn(one.Name) ?? textIn(objectIn(one.Spec)?.Name) ?? "";
}

/** What may be left over after a write: what a service referred to, and older contents of what it brings along. */
export interface Leftovers {
  readonly mark: string;
  /** Ids of configs, secrets and networks. */
  readonly ids: ReadonlySet<string>;
  /** Names that configs and secrets have in their files. */
  readonly bases: ReadonlySet<string>;
}

export function leftoversOf(
  mark: string,
  service: JsonObject | undefined,
  spec: JsonObject | undefined,
): Leftovers {
  const live = [objectIn(service?.Spec), objectIn(service?.PreviousSpec)].filter((one) => one !== undefined);
  const brought = (["configs", "secrets"] as const).flatMap((kind) => materialsIn(spec ?? {}, kind));
  return {
    mark,
    ids: new Set(live.flatMap((one) => [...referencesOf(one)])),
    bases: new Set(brought.map(([name, { base }]) => textIn(base) ?? name)),
  };
}

/**
 * Removes what bears the mark, is among the leftovers, and is used by no service, neither by its spec nor by the one Swarm
 * would put back. Resolves with how many could not be removed because something still uses them.
 */
export async function tidy(
  client: SwarmClient,
  left: Leftovers,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (left.ids.size + left.bases.size === 0) return 0;
  const services = await client.named(undefined, signal);
  const specs = services.flatMap(({ Spec, PreviousSpec }) => [
    objectIn(Spec) ?? {},
    objectIn(PreviousSpec) ?? {},
  ]);
  const needed = new Set(specs.flatMap((spec) => [...referencesOf(spec)]));
  let kept = 0;
  for (const kind of ["configs", "secrets", "networks"] as const) {
    for (const one of await client.materials(kind, signal)) {
      const spec = kind === "networks" ? one : (objectIn(one.Spec) ?? {});
      const base = textIn(objectIn(spec.Labels)?.[BASE_LABEL]);
      const id = textIn(one.ID) ?? textIn(one.Id) ?? "";
      // Networks are few, and one that was still in use when its last service went is found by the next write.
      const isLeft = kind === "networks" || left.ids.has(id) || (base !== undefined && left.bases.has(base));
      if (!isLeft || markOf(spec) !== left.mark || needed.has(id)) continue;
      if (!(await client.removeMaterial(kind, id, signal))) kept += 1;
    }
  }
  return kept;
}

/** The ids of all that a live spec refers to. */
export function referencesOf(spec: JsonObject): ReadonlySet<string> {
  const template = objectIn(spec.TaskTemplate);
  const container = objectIn(template?.ContainerSpec);
  const all: readonly (readonly [Json | undefined, string])[] = [
    [container?.Configs, "ConfigID"],
    [container?.Secrets, "SecretID"],
    [template?.Networks, "Target"],
    [spec.Networks, "Target"],
  ];
  return new Set(all.flatMap(([list, id]) => objectsIn(list).flatMap(([, one]) => textIn(one[id]) ?? [])));
}
