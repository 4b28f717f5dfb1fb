import { readFile } from "node:fs/promises";
import { type IncomingMessage, request as plainRequest } from "node:http";
import { type RequestOptions, request as tlsRequest } from "node:https";
import { messageOf, SluiceError } from "@sluice/core";
import type { RemoteAccess } from "../access.ts";

export interface HttpQuestion {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: IncomingMessage;
}

/**
 * One request over a connection of its own; follows nothing and keeps nothing. Certificate files are read each time.
 * @throws TlsUntrusted where the server's certificate is not trusted, GIT_FAILED for what else goes wrong on the way.
 */
export async function ask(question: HttpQuestion, access: RemoteAccess): Promise<HttpAnswer> {
  const { url, method, headers, body, signal } = question;
  const target = new URL(url);
  const tls = target.protocol === "https:" ? await tlsOptions(access) : {};
  const length = body ? { "content-length": String(body.byteLength) } : {};
  const options: RequestOptions = { method, headers: { ...headers, ...length }, ...tls };
  if (signal) options.signal = signal;
  return new Promise((resolve, reject) => {
    const request = (target.protocol === "https:" ? tlsRequest : plainRequest)(target, options);
    request.on("error", (cause) => reject(failureOf(cause, target)));
    request.on("response", (response) =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response }),
    );
    request.end(body);
  });
}

/** All of an answer's body. @throws GIT_FAILED where it breaks off or is longer than `most` bytes. */
export async function wholeBody({ body }: HttpAnswer, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      length += part.length;
      if (length > most) throw new Error(`it is longer than ${most} bytes`);
      parts.push(part);
    }
  } catch (cause) {
    throw new SluiceError("GIT_FAILED", `the server's answer cannot be used: ${messageOf(cause)}`, { cause });
  }
  return Buffer.concat(parts);
}

/** The server may be right and only unknown to Node: git looks where the system keeps its authorities. */
export class TlsUntrusted extends SluiceError {}

const UNTRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_ALTNAME_INVALID|INVALID_CA|HOSTNAME_MISMATCH)/;

function failureOf(cause: Error, { host }: URL): SluiceError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  if (!UNTRUSTED.test(code))
    return new SluiceError("GIT_FAILED", `${host} cannot be reached: ${messageOf(cause)}`, { cause });
  const message = `the certificate of ${host} is not trusted: ${messageOf(cause)}`;
  return new TlsUntrusted("GIT_FAILED", message, { cause, hint: TRUST_HINT });
}

export const TRUST_HINT =
  "Name the authority that signed it with `source.ca`, and reach the server by a name its certificate bears.";

async function tlsOptions(access: RemoteAccess): Promise<RequestOptions> {
  const files = Object.entries({ ca: access.ca, cert: access.cert, key: access.key });
  const read = files.map(async ([name, file]) => (file === undefined ? [] : [[name, await readPem(file)]]));
  return Object.fromEntries((await Promise.all(read)).flat());
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new SluiceError("GIT_FAILED", `the certificate's file cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}
