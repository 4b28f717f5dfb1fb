export interface CgiHead {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/**
 * The head of a CGI program's answer (RFC 3875): header lines up to an empty one, the status as one of them.
 * @returns undefined where the text is no such head.
 */
export function parseCgiHead(text: string): CgiHead | undefined {
  let status = 200;
  const headers: [string, string][] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else headers.push([name, value]);
  }
  return status >= 200 && status <= 599 ? { status, headers } : undefined;
}

/** Where the head ends in what has come so far: its length and that of the empty line. */
export function endOfCgiHead(bytes: Buffer): { readonly head: number; readonly body: number } | undefined {
  const crlf = bytes.indexOf("\r\n\r\n");
  const lf = bytes.indexOf("\n\n");
  if (crlf >= 0 && (lf < 0 || crlf < lf)) return { head: crlf, body: crlf + 4 };
  return lf >= 0 ? { head: lf, body: lf + 2 } : undefined;
}
