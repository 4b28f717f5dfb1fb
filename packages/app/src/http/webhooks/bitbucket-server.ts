import { z } from "zod";
import type { Provider } from "./provider.ts";
import { ignoredEvent } from "./push-payload.ts";
import { prefixedClaim } from "./signature.ts";

const push = z.object({
  repository: z.object({
    slug: z.string(),
    project: z.object({ key: z.string() }),
    links: z.object({ clone: z.array(z.object({ href: z.string() })).optional() }).optional(),
  }),
  changes: z.array(z.object({ ref: z.object({ id: z.string() }), type: z.string() })),
});

const PING = "diagnostics:ping";

/** Bitbucket Data Center and Server. Not every version gives clone URLs, so the project's key and the slug count as well. */
export const bitbucketServer: Provider = {
  name: "bitbucket-server",
  mediaTypes: ["application/json"],
  claim(header, secrets) {
    const signature = header("x-hub-signature");
    if (signature !== undefined) return prefixedClaim(signature, secrets);
    // The button "Test connection" sends no signature; a ping is only answered.
    if (header("x-event-key") === PING) return { proves: () => true };
    return { refused: "it bears no X-Hub-Signature: no secret is set at Bitbucket" };
  },
  delivery: (header) => header("x-request-id"),
  read(header, payload) {
    const event = header("x-event-key");
    if (event === PING) return { kind: "ping" };
    if (event !== "repo:refs_changed") return ignoredEvent(event);
    const { repository, changes } = push.parse(payload);
    return {
      kind: "push",
      repositories: repository.links?.clone?.map(({ href }) => href) ?? [],
      path: `${repository.project.key}/${repository.slug}`,
      updates: changes.map(({ ref, type }) => ({ ref: ref.id, deleted: type === "DELETE" })),
    };
  },
};
