import { type Announced, canonicalName, isImageName } from "@sluice/image-updater";
import { z } from "zod";

/** An image that a registry says was pushed. */
export interface PushedImage {
  readonly name: string;
  readonly said: Announced;
}

/** Media types of what a tag can name (distribution and OCI): layers and configurations are pushed, too. */
const MANIFEST =
  /^application\/vnd\.(docker\.distribution\.manifest\.(v2|list\.v2)|oci\.image\.(manifest|index)\.v1)\+json$/;

/** What Docker's registry sends, from version 2 on. A batch may hold events of any kind. */
const distribution = z.object({
  events: z.array(
    z.object({
      timestamp: z.string().optional(),
      action: z.string(),
      target: z.object({
        mediaType: z.string().optional(),
        digest: z.string().optional(),
        repository: z.string().optional(),
        tag: z.string().optional(),
      }),
      request: z.object({ host: z.string().optional() }).optional(),
      actor: z.object({ name: z.string().optional() }).optional(),
    }),
  ),
});

const dockerHub = z.object({
  push_data: z.object({ tag: z.string(), pushed_at: z.number().optional(), pusher: z.string().optional() }),
  repository: z.object({ repo_name: z.string() }),
});

const harbor = z.object({
  type: z.string(),
  occur_at: z.number().optional(),
  operator: z.string().optional(),
  event_data: z.object({
    resources: z.array(
      z.object({
        digest: z.string().optional(),
        tag: z.string().optional(),
        resource_url: z.string().optional(),
      }),
    ),
  }),
});

const quay = z.object({ docker_url: z.string(), updated_tags: z.array(z.string()) });

/**
 * The images that a registry's notification says were pushed; undefined: it is no notification of a known kind.
 * @param host what Docker's own registry is called in image names; the others say it themselves.
 */
export function pushedImages(body: unknown, host: string | undefined): readonly PushedImage[] | undefined {
  const events = distribution.safeParse(body);
  if (events.success) return named(events.data.events.flatMap((event) => ofDistribution(event, host)));
  const hub = dockerHub.safeParse(body);
  if (hub.success) return named([ofDockerHub(hub.data)]);
  const ofHarbor = harbor.safeParse(body);
  if (ofHarbor.success) return named(harborImages(ofHarbor.data));
  const ofQuay = quay.safeParse(body);
  if (!ofQuay.success) return undefined;
  const { docker_url: name, updated_tags: tags } = ofQuay.data;
  return named(tags.map((tag) => ({ name, said: { tag, by: "Quay" } })));
}

/** Names that are none are left out: whoever can push may choose them. */
function named(images: readonly PushedImage[]): readonly PushedImage[] {
  return images.filter(({ name }) => isImageName(name));
}

type DistributionEvent = z.output<typeof distribution>["events"][number];

function ofDistribution(
  { action, target, request, actor, timestamp }: DistributionEvent,
  host: string | undefined,
): PushedImage[] {
  const { repository, tag, digest, mediaType = "" } = target;
  const registry = host ?? request?.host;
  if (action !== "push" || !tag || !repository || !registry || !MANIFEST.test(mediaType)) return [];
  const by = actor?.name ? `the registry, pushed by ${actor.name}` : "the registry";
  return [{ name: `${registry}/${repository}`, said: said({ tag, digest, at: timestamp, by }) }];
}

function ofDockerHub({ push_data: push, repository }: z.output<typeof dockerHub>): PushedImage {
  const by = push.pusher ? `Docker Hub, pushed by ${push.pusher}` : "Docker Hub";
  const at = push.pushed_at === undefined ? undefined : atSeconds(push.pushed_at);
  return {
    name: canonicalName(repository.repo_name),
    said: said({ tag: push.tag, digest: undefined, at, by }),
  };
}

function harborImages({
  type,
  event_data: data,
  operator,
  occur_at: at,
}: z.output<typeof harbor>): PushedImage[] {
  if (type !== "PUSH_ARTIFACT") return [];
  const by = operator ? `Harbor, pushed by ${operator}` : "Harbor";
  return data.resources.flatMap(({ digest, tag, resource_url: url = "" }) => {
    if (!tag || tag === digest) return [];
    const cut = url.lastIndexOf(":");
    const name = url.slice(0, cut > url.lastIndexOf("/") ? cut : undefined).replace(/@sha256$/, "");
    return [{ name, said: said({ tag, digest, at: at === undefined ? undefined : atSeconds(at), by }) }];
  });
}

function said(given: {
  tag: string;
  digest: string | undefined;
  at: string | undefined;
  by: string;
}): Announced {
  const { tag, digest, at, by } = given;
  const time = at === undefined ? Number.NaN : Date.parse(at);
  return {
    tag,
    by,
    ...(digest ? { digest } : {}),
    ...(Number.isNaN(time) ? {} : { at: new Date(time).toISOString() }),
  };
}

/** A time that no date can hold is none. */
function atSeconds(seconds: number): string | undefined {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
