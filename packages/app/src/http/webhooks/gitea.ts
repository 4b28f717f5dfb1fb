import type { Provider } from "./provider.ts";
import { gitHubLikePush, ignoredEvent } from "./push-payload.ts";
import { hexClaim } from "./signature.ts";

/**
 * Gitea, and Forgejo, which sends Gitea's headers beside its own. Without a secret both send the signature headers all the
 * same, with nothing in them. Of their two body types only JSON is taken: what they sign is the JSON, so that of a form the
 * raw bytes could not be checked.
 */
export const gitea: Provider = {
  name: "gitea",
  mediaTypes: ["application/json"],
  claim(header, secrets) {
    const signature = header("x-forgejo-signature") ?? header("x-gitea-signature");
    if (signature === undefined) return { refused: "it bears no X-Gitea-Signature" };
    if (signature === "") return { refused: "its signature is empty: no secret is set at the sender's" };
    return hexClaim(signature, secrets);
  },
  delivery: (header) => header("x-forgejo-delivery") ?? header("x-gitea-delivery"),
  read(header, payload) {
    const event = header("x-forgejo-event") ?? header("x-gitea-event");
    return event === "push" ? gitHubLikePush(payload) : ignoredEvent(event);
  },
};
