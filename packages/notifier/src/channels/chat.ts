import { type Clock, messageOf } from "@sluice/core";
import type { Delivery } from "./channel.ts";
import { httpPost } from "./http-post.ts";

/** A chat that is posted to at a secret address. */
export interface ChatOptions {
  /** The address; read anew for each message, so that it can be replaced. */
  readonly url: () => string;
  readonly clock: Clock;
}

/** @throws never: a file that cannot be read is "not now". */
export async function postJson(
  options: ChatOptions,
  message: object,
  signal: AbortSignal,
): Promise<Delivery> {
  let url: string;
  try {
    url = options.url().trim();
  } catch (error) {
    return { kind: "later", why: messageOf(error) };
  }
  return httpPost({ url, body: JSON.stringify(message), headers: {} }, options.clock.now(), signal);
}
