import type { Notice } from "../notice/notice.ts";

/** What became of an attempt to send. Sentences are for people and hold no secret. */
export type Delivery =
  | { readonly kind: "sent" }
  /** Not now; the channel may say when, in milliseconds. */
  | { readonly kind: "later"; readonly why: string; readonly retryAfterMs?: number }
  /** Never: sent again it would be refused again. */
  | { readonly kind: "refused"; readonly why: string }
  /** The channel has no words for this. */
  | { readonly kind: "skipped" };

/** One way to tell people or programs. */
export interface Channel {
  /** Sends one notice, with a deadline of its own. What it throws counts as "not now". */
  post(notice: Notice, signal: AbortSignal): Promise<Delivery>;
}
