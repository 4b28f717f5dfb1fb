import type { IncomingMessage } from "node:http";
import type { HeaderReader } from "./provider.ts";

/** A header that is meant to be there once was sent several times: nobody can tell which of them counts. */
export class HeaderRepeated extends Error {}

/** Reads single headers of a request. Node joins repeated headers with commas; here they are an error. */
export function headersOf(request: IncomingMessage): HeaderReader {
  return (name) => {
    const values = request.headersDistinct[name] ?? [];
    if (values.length > 1) throw new HeaderRepeated(`the header ${name} was sent more than once`);
    return values[0];
  };
}

/** The media type of a Content-Type header, in lower case and without parameters. */
export function mediaType(header: string | undefined): string {
  return (header ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
