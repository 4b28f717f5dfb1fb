import { isUtf8 } from "node:buffer";
import { SluiceError } from "@sluice/core";
import { ZodError } from "zod";
import type { HeaderReader, Notice, Provider } from "./provider.ts";

/** What a genuine body says. @throws USAGE where it is not what the provider sends; nothing of it is in the message. */
export function noticeIn(
  provider: Provider,
  header: HeaderReader,
  { bytes, mediaType }: { readonly bytes: Uint8Array; readonly mediaType: string },
): Notice {
  const malformed = () =>
    new SluiceError("USAGE", `the body is not what ${provider.name} sends for this event`);
  if (!isUtf8(bytes)) throw malformed();
  const text = Buffer.from(bytes).toString("utf8");
  const form = mediaType === "application/x-www-form-urlencoded";
  try {
    return provider.read(header, JSON.parse(form ? (new URLSearchParams(text).get("payload") ?? "") : text));
  } catch (error) {
    if (error instanceof ZodError || error instanceof SyntaxError) throw malformed();
    throw error;
  }
}
