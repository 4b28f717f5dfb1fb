import { SluiceError } from "@sluice/core";
import { ZodError } from "zod";
import type { HeaderReader, Notice, Provider } from "./provider.ts";

/** What a genuine body says. @throws USAGE where it is not what the provider sends; nothing of it is in the message. */
export function noticeIn(
  provider: Provider,
  header: HeaderReader,
  { bytes, mediaType }: { readonly bytes: Uint8Array; readonly mediaType: string },
): Notice {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const form = mediaType === "application/x-www-form-urlencoded";
    return provider.read(header, JSON.parse(form ? (new URLSearchParams(text).get("payload") ?? "") : text));
  } catch (error) {
    // A SyntaxError is no JSON, a TypeError no UTF-8, a RangeError is nested too deep.
    const foreseen = [ZodError, SyntaxError, TypeError, RangeError].some((kind) => error instanceof kind);
    if (!foreseen) throw error;
    throw new SluiceError("USAGE", `the body is not what ${provider.name} sends for this event`);
  }
}
