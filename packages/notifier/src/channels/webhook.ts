import { createHmac } from "node:crypto";
import { type Clock, messageOf } from "@sluice/core";
import type { Notice } from "../notice/notice.ts";
import type { Channel } from "./channel.ts";
import { httpPost } from "./http-post.ts";

export interface WebhookOptions {
  readonly url: string;
  /** Signs each request; read anew for each. Absent: nothing is signed. */
  readonly secret: (() => string) | undefined;
  /** The `source` of every event: a URI reference that says whose they are. */
  readonly source: string;
  readonly clock: Clock;
}

/**
 * A CloudEvents 1.0 event in structured JSON (cloudevents.io). The event's id is the notice's and stays the same however often it
 * is sent. Signed as Standard Webhooks are (`webhook-id`, `webhook-timestamp`, `webhook-signature: v1,<base64>` of
 * `id.timestamp.body`), and as GitHub's are (`x-sluice-signature-256: sha256=<hex>` of the body).
 */
export function webhook({ url, secret, source, clock }: WebhookOptions): Channel {
  return {
    async post(notice, signal) {
      const body = JSON.stringify(cloudEvent(notice, source));
      const timestamp = String(Math.floor(clock.now() / 1_000));
      const headers: Record<string, string> = {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": notice.id,
        "webhook-timestamp": timestamp,
      };
      try {
        if (secret) Object.assign(headers, signatures(secret(), { id: notice.id, timestamp, body }));
      } catch (error) {
        return { kind: "later", why: messageOf(error) };
      }
      return httpPost({ url, body, headers }, clock.now(), signal);
    },
  };
}

/** The notice as a CloudEvents event; `type` is `io.sluice.` and the notice's kind. */
export function cloudEvent(notice: Notice, source: string) {
  const { id, kind, environment, at, revision, ...rest } = notice;
  const subject = environment === "*" ? undefined : environment;
  return {
    specversion: "1.0",
    id,
    source,
    type: `io.sluice.${kind}`,
    ...(subject === undefined ? {} : { subject }),
    time: at,
    datacontenttype: "application/json",
    data: { kind, environment, ...(revision === undefined ? {} : { revision }), ...rest },
  };
}

interface Signed {
  readonly id: string;
  readonly timestamp: string;
  readonly body: string;
}

/** A secret that begins with `whsec_` is base64, as Standard Webhooks write theirs. */
function signatures(secret: string, { id, timestamp, body }: Signed) {
  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
  const standard = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  const plain = createHmac("sha256", key).update(body).digest("hex");
  return { "webhook-signature": `v1,${standard}`, "x-sluice-signature-256": `sha256=${plain}` };
}
