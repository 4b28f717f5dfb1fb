import { z } from "zod";
import type { Provider, RefUpdate } from "./provider.ts";
import { ignoredEvent } from "./push-payload.ts";
import { prefixedClaim } from "./signature.ts";

const side = z.object({ type: z.string(), name: z.string() }).nullish();

const push = z.object({
  repository: z.object({
    full_name: z.string(),
    links: z.object({ html: z.object({ href: z.string() }).optional() }).optional(),
  }),
  push: z.object({ changes: z.array(z.object({ new: side, old: side })) }),
});

/** Bitbucket Cloud. Its signature header has SHA-1's name and a SHA-256 in it. Its pushes name no ref: each change does. */
export const bitbucket: Provider = {
  name: "bitbucket",
  mediaTypes: ["application/json"],
  claim(header, secrets) {
    const signature = header("x-hub-signature");
    if (signature === undefined)
      return { refused: "it bears no X-Hub-Signature: no secret is set at Bitbucket" };
    return prefixedClaim(signature, secrets);
  },
  delivery: (header) => header("x-request-uuid"),
  read(header, payload) {
    const event = header("x-event-key");
    if (event !== "repo:push") return ignoredEvent(event);
    const { repository, push: pushed } = push.parse(payload);
    const page = repository.links?.html?.href;
    return {
      kind: "push",
      repositories: [`https://bitbucket.org/${repository.full_name}`, ...(page ? [page] : [])],
      updates: pushed.changes.flatMap(({ new: now, old }): RefUpdate[] => {
        const moved = now ?? old;
        if (!moved) return [];
        const folder = moved.type === "tag" ? "refs/tags" : "refs/heads";
        return [{ ref: `${folder}/${moved.name}`, deleted: !now }];
      }),
    };
  },
};
