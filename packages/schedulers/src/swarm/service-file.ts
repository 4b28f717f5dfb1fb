import { type Json, type JsonObject, jobId } from "@sluice/core";
import type { Complaint } from "../format/complaint.ts";
import type { NativeJob } from "../format/job-file.ts";
import { objectIn, objectsIn, textIn, without } from "../format/reading.ts";
import { type Declared, declarationRules, declaredIn } from "./declared.ts";
import { MARK_LABEL, SPEC_LABEL } from "./mark.ts";
import { STRANGE_KEYS, serviceSchema } from "./service-schema.ts";

/** A ServiceSpec of the Engine API, one per document. */
export const nativeService: NativeJob = {
  schema: serviceSchema,
  strange: STRANGE_KEYS,
  rules: serviceRules,
  id: (spec) => jobId(textIn(spec.Name) ?? ""),
  dependencies: () => [],
};

/**
 * The spec with contents in place of declarations: what the service refers to has the name it has in the swarm, and
 * `configs` and `secrets` hold, by that name, what is to be made: `{ base, Data, Labels? }`, its data in base64.
 */
export function withContents(spec: JsonObject): JsonObject {
  const configs = declaredIn(spec.configs, "");
  const secrets = declaredIn(spec.secrets, "");
  const template = objectIn(spec.TaskTemplate) ?? {};
  const { HealthCheck: check, ...container } = objectIn(template.ContainerSpec) ?? {};
  return withMade(
    {
      ...without(spec, "configs", "secrets"),
      TaskTemplate: {
        ...template,
        ContainerSpec: {
          ...container,
          // As Docker shows it; it takes either.
          ...(check && !container.Healthcheck ? { Healthcheck: check } : {}),
          ...(container.Configs ? { Configs: renamed(container.Configs, "ConfigName", configs) } : {}),
          ...(container.Secrets ? { Secrets: renamed(container.Secrets, "SecretName", secrets) } : {}),
        },
      },
    },
    { configs, secrets },
  );
}

/** The spec with what is to be made for it: only what it refers to. */
export function withMade(
  spec: JsonObject,
  declared: Readonly<Record<"configs" | "secrets", ReadonlyMap<string, Declared>>>,
): JsonObject {
  const container = objectIn(objectIn(spec.TaskTemplate)?.ContainerSpec);
  const made: Record<string, Json> = {};
  for (const [kind, list, name] of [
    ["configs", container?.Configs, "ConfigName"],
    ["secrets", container?.Secrets, "SecretName"],
  ] as const) {
    const used = new Set(objectsIn(list).map(([, one]) => one[name]));
    const materials = [...declared[kind].values()].flatMap((one) =>
      one.material && used.has(one.name) ? [[one.name, one.material] as const] : [],
    );
    if (materials.length > 0) made[kind] = Object.fromEntries(materials);
  }
  return { ...spec, ...made };
}

function renamed(list: Json, key: string, declared: ReadonlyMap<string, Declared>): Json {
  return objectsIn(list).map(([, one]) => {
    const found = declared.get(textIn(one[key]) ?? "");
    return found ? { ...one, [key]: found.name } : one;
  });
}

/** The rules that span fields, for a spec that may still be of the wrong shape. */
export function serviceRules(spec: JsonObject): readonly Complaint[] {
  const labels = objectIn(spec.Labels);
  const mark = [MARK_LABEL, SPEC_LABEL].filter((label) => labels?.[label] !== undefined);
  return [
    ...mark.map((label) => ({ path: ["Labels", label], message: "is Sluice's own mark; leave it out" })),
    ...declarationRules("configs", spec.configs, ""),
    ...declarationRules("secrets", spec.secrets, ""),
    ...referenceRules(spec),
    ...modeRules(spec),
    ...portRules(spec),
  ];
}

function referenceRules(spec: JsonObject): Complaint[] {
  const container = objectIn(objectIn(spec.TaskTemplate)?.ContainerSpec);
  return (["Configs", "Secrets"] as const).flatMap((list) =>
    objectsIn(container?.[list]).flatMap(([at, one]) =>
      one.File === undefined && one.Runtime === undefined
        ? [
            {
              path: ["TaskTemplate", "ContainerSpec", list, at, "File"],
              message: "is missing: where it is put",
            },
          ]
        : [],
    ),
  );
}

function modeRules(spec: JsonObject): Complaint[] {
  const mode = objectIn(spec.Mode) ?? {};
  const isJob = mode.ReplicatedJob !== undefined || mode.GlobalJob !== undefined;
  const condition = objectIn(objectIn(spec.TaskTemplate)?.RestartPolicy)?.Condition;
  const found: Complaint[] = [];
  if (isJob)
    for (const key of ["UpdateConfig", "RollbackConfig"])
      if (spec[key] !== undefined) found.push({ path: [key], message: "does not go with a job's mode" });
  if (isJob && condition !== "on-failure" && condition !== "none")
    found.push({
      path: ["TaskTemplate", "RestartPolicy", "Condition"],
      message: 'must be "on-failure" or "none" for a job',
    });
  return found;
}

function portRules(spec: JsonObject): Complaint[] {
  const endpoint = objectIn(spec.EndpointSpec);
  const seen = new Set<string>();
  return objectsIn(endpoint?.Ports).flatMap(([at, port]) => {
    const path = ["EndpointSpec", "Ports", at, "PublishedPort"];
    const mode = port.PublishMode ?? "ingress";
    if (endpoint?.Mode === "dnsrr" && mode === "ingress")
      return [
        { path: ["EndpointSpec", "Ports", at], message: "the mode dnsrr publishes no port in ingress mode" },
      ];
    if (!port.PublishedPort) return [];
    const key = `${String(port.PublishedPort)}/${String(port.Protocol ?? "tcp")}`;
    if (seen.has(key)) return [{ path, message: `the port ${key} is published twice` }];
    seen.add(key);
    return [];
  });
}
