import { isJsonObject, type JsonObject } from "@sluice/core";
import { withValueFrom } from "../format/field-path.ts";
import { listIn, objectIn, textIn } from "../format/reading.ts";
import { tagOf } from "./image.ts";

/** The spec with the live values of fields that are left to others. */
export function withLiveValues(spec: JsonObject, live: JsonObject, ignore: readonly string[]): JsonObject {
  if (ignore.length === 0) return spec;
  const merged = ignore.reduce(
    (one, path) => withValueFrom(one, withEnvByName(live), path),
    withEnvByName(spec),
  );
  return withEnvAsList(merged);
}

/**
 * The spec with what Swarm and other clients fill in where a file is silent: a count of forced updates, the digest that a tag
 * had, the platforms of the image. Without them every update would restart the tasks.
 */
export function keepingWhatSwarmFilledIn(spec: JsonObject, live: JsonObject): JsonObject {
  const template = objectIn(spec.TaskTemplate) ?? {};
  const present = objectIn(live.TaskTemplate) ?? {};
  const container = objectIn(template.ContainerSpec) ?? {};
  const [image, shown] = [textIn(container.Image), textIn(objectIn(present.ContainerSpec)?.Image)];
  const sameImage =
    image !== undefined && shown !== undefined && image !== shown && tagOf(shown) === tagOf(image);
  const pinned = sameImage && !image.includes("@");
  const platforms = objectIn(present.Placement)?.Platforms;
  const keepsPlatforms =
    (pinned || image === shown) &&
    platforms !== undefined &&
    objectIn(template.Placement)?.Platforms === undefined;
  return {
    ...spec,
    TaskTemplate: {
      ...template,
      ContainerSpec: { ...container, ...(pinned ? { Image: shown } : {}) },
      ...(template.ForceUpdate === undefined && present.ForceUpdate !== undefined
        ? { ForceUpdate: present.ForceUpdate }
        : {}),
      ...(keepsPlatforms ? { Placement: { ...objectIn(template.Placement), Platforms: platforms } } : {}),
    },
  };
}

/** The environment as an object, so that its variables have paths. */
export function withEnvByName(spec: JsonObject): JsonObject {
  return withEnv(spec, (env) =>
    Array.isArray(env)
      ? Object.fromEntries(
          env.flatMap((one) => {
            const entry = textIn(one);
            if (entry === undefined) return [];
            const cut = entry.indexOf("=");
            return [cut < 0 ? [entry, ""] : [entry.slice(0, cut), entry.slice(cut + 1)]];
          }),
        )
      : env,
  );
}

function withEnvAsList(spec: JsonObject): JsonObject {
  return withEnv(spec, (env) =>
    isJsonObject(env) ? Object.entries(env).map(([name, value]) => `${name}=${String(value)}`) : listIn(env),
  );
}

function withEnv(
  spec: JsonObject,
  change: (env: NonNullable<JsonObject[string]>) => JsonObject[string],
): JsonObject {
  const template = objectIn(spec.TaskTemplate);
  const container = objectIn(template?.ContainerSpec);
  if (!container?.Env) return spec;
  return {
    ...spec,
    TaskTemplate: { ...template, ContainerSpec: { ...container, Env: change(container.Env) ?? [] } },
  };
}
