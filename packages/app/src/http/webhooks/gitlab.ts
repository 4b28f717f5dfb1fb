import { z } from "zod";
import type { Claim, HeaderReader, Provider } from "./provider.ts";
import { given, ignoredEvent, isZero } from "./push-payload.ts";
import { anyMatches, digestOf, hmac } from "./signature.ts";

/** How far the time in a signature may be from ours; what Standard Webhooks advises. */
const TOLERANCE_MS = 5 * 60_000;
/** How a signing token begins; the rest is the key in base64. */
const SIGNING_TOKEN = "whsec_";

const push = z.object({
  ref: z.string(),
  after: z.string(),
  project: z.object({
    git_http_url: z.string(),
    git_ssh_url: z.string().optional(),
    web_url: z.string().optional(),
  }),
});
const kind = z.object({ object_kind: z.string().optional(), event_name: z.string().optional() });

/** GitLab: a secret token that is sent as it is, or (from 19.0) a signing token after Standard Webhooks. */
export const gitlab: Provider = {
  name: "gitlab",
  mediaTypes: ["application/json"],
  claim(header, secrets, now) {
    const signatures = header("webhook-signature");
    if (signatures !== undefined) return signedClaim(signatures, header, secrets, now);
    const token = header("x-gitlab-token");
    if (!token) return { refused: "it bears neither webhook-signature nor X-Gitlab-Token" };
    const plain = secrets.filter((secret) => !secret.startsWith(SIGNING_TOKEN));
    const given = digestOf(token);
    return { proves: () => anyMatches(plain, given, digestOf) };
  },
  // Not X-Gitlab-Event-UUID: events that follow from one another share it, though each is a push of its own.
  delivery: (header) => header("webhook-id") ?? header("idempotency-key"),
  read(_header, payload) {
    const { object_kind, event_name } = kind.parse(payload);
    const event = object_kind ?? event_name;
    if (event !== "push" && event !== "tag_push") return ignoredEvent(event);
    const { ref, after, project } = push.parse(payload);
    return {
      kind: "push",
      repositories: given(project.git_http_url, project.git_ssh_url, project.web_url),
      updates: [{ ref, deleted: isZero(after) }],
    };
  },
};

/** `v1,<base64>`, several where the sender changes its key; never a second chance by the plain token. */
function signedClaim(
  signatures: string,
  header: HeaderReader,
  secrets: readonly string[],
  now: number,
): Claim {
  const id = header("webhook-id");
  const timestamp = header("webhook-timestamp");
  if (!id || !timestamp) return { refused: "it is signed, but lacks webhook-id or webhook-timestamp" };
  if (!/^\d{1,12}$/.test(timestamp) || Math.abs(Number(timestamp) * 1_000 - now) > TOLERANCE_MS)
    return { refused: "it was signed at another time than now: an old delivery, or a clock that is off" };
  const offered = signatures.split(" ").filter((one) => one.startsWith("v1,"));
  if (offered.length === 0) return { refused: "none of its signatures is of version v1" };
  const keys = secrets.filter((secret) => secret.startsWith(SIGNING_TOKEN)).map(keyOf);
  const given = offered.map((one) => Buffer.from(one.slice(3), "base64"));
  const make = (body: Uint8Array) => (key: Uint8Array) => hmac(key, `${id}.${timestamp}.`, body);
  return { proves: (body) => given.some((signature) => anyMatches(keys, signature, make(body))) };
}

function keyOf(token: string): Buffer {
  return Buffer.from(token.slice(SIGNING_TOKEN.length), "base64");
}
