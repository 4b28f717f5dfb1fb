import { type Clock, type Json, redact, SluiceError } from "@sluice/core";
import { addressBook } from "./addresses.ts";
import { codeOf, type HttpRequest, type RawAnswer, type Send, sender } from "./exchange.ts";
import { laneLimit } from "./lanes.ts";
import { authorization, baseAddresses, type HttpOptions } from "./options.ts";

export type { HttpRequest } from "./exchange.ts";

export interface ConnectionOptions extends HttpOptions {
  readonly clock: Clock;
}

export interface HttpAnswer {
  readonly status: number;
  /** The body where it is JSON. */
  readonly json: Json | undefined;
  readonly text: string;
}

/** A scheduler's HTTP side: any status is an answer, and no answer is SCHEDULER_UNREACHABLE. */
export type HttpConnection = (request: HttpRequest) => Promise<HttpAnswer>;

const DEFAULT_LANES = 8;
/** A node that is not the leader, or has none, answers so. */
const ELSEWHERE = new Set([502, 503, 504]);
/** Failures before a byte of the request was sent: then a write may be tried elsewhere. */
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/**
 * Each request goes to the address that answered last; where that one is away or has no leader, to the others in order. A
 * write goes on only where nothing of it was sent.
 * @param name the scheduler's name for people: `Marathon`.
 */
export function httpConnection(name: string, options: ConnectionOptions): HttpConnection {
  const addresses = baseAddresses(options);
  if (addresses.length === 0) throw new SluiceError("CONFIG_INVALID", `${name} needs at least one address`);
  const send = sender(options);
  const lane = laneLimit(options.concurrency ?? DEFAULT_LANES);
  const book = addressBook(addresses, options.clock);

  async function roundTrip(request: HttpRequest): Promise<HttpAnswer> {
    const header = headerOf(name, options);
    const reads = request.method === "GET";
    let failure: SluiceError | undefined;
    let answer: HttpAnswer | undefined;
    for (const address of book.order()) {
      try {
        const response = await send(address, request, header);
        answer = answerOf(await followed(response, request, addresses, (to) => send(to, request, header)));
        if (!ELSEWHERE.has(answer.status)) {
          book.answered(address);
          return answer;
        }
        book.failed(address);
        if (!reads) return answer;
      } catch (error) {
        request.signal?.throwIfAborted();
        book.failed(address);
        const code = codeOf(error);
        failure = new SluiceError(
          "SCHEDULER_UNREACHABLE",
          `${name} does not answer at ${redact(address)}: ${code}`,
        );
        if (!reads && !NEVER_SENT.has(code)) throw failure;
      }
    }
    if (answer) return answer;
    throw failure;
  }

  return (request) => lane(() => roundTrip(request));
}

/**
 * The leader's answer where a node redirects to it, and only to a configured address: credentials and job files go nowhere
 * else. A write is repeated only where the status says that it may be.
 */
async function followed(
  response: RawAnswer,
  { method, path }: HttpRequest,
  addresses: readonly string[],
  resend: (address: string) => ReturnType<Send>,
): Promise<RawAnswer> {
  const { status } = response;
  const moves = status === 307 || status === 308 || (method === "GET" && (status === 301 || status === 302));
  const { location } = response.headers;
  if (!moves || location === undefined) return response;
  const leader = addresses.find((address) => location === address + path);
  return leader === undefined ? response : await resend(leader);
}

/** Credentials come from a file that may be away for a moment, as while it is replaced. */
function headerOf(name: string, options: HttpOptions): string | undefined {
  try {
    return authorization(options);
  } catch {
    throw new SluiceError("SCHEDULER_DENIED", `the file with the credentials for ${name} cannot be read`);
  }
}

function answerOf({ status, data: text }: RawAnswer): HttpAnswer {
  try {
    return { status, text, json: JSON.parse(text) as Json };
  } catch {
    return { status, text, json: undefined };
  }
}
