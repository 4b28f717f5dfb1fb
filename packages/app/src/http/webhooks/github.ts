import type { Provider } from "./provider.ts";
import { gitHubLikePush, ignoredEvent } from "./push-payload.ts";
import { prefixedClaim } from "./signature.ts";

/** GitHub and GitHub Enterprise: docs.github.com, "Validating webhook deliveries" and "Webhook events and payloads". */
export const github: Provider = {
  name: "github",
  // The form is what GitHub's settings page offers first; its raw bytes are signed.
  mediaTypes: ["application/json", "application/x-www-form-urlencoded"],
  claim(header, secrets) {
    const signature = header("x-hub-signature-256");
    if (signature === undefined) return { refused: "it bears no X-Hub-Signature-256" };
    return prefixedClaim(signature, secrets);
  },
  delivery: (header) => header("x-github-delivery"),
  read(header, payload) {
    const event = header("x-github-event");
    if (event === "ping") return { kind: "ping" };
    return event === "push" ? gitHubLikePush(payload) : ignoredEvent(event);
  },
};
