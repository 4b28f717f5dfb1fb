import { type Clock, SluiceError } from "@sluice/core";
import type { FastifyRequest } from "fastify";
import type { Environment } from "../../engine/environment.ts";
import { type Asked, type Concerned, concernedBy } from "./concerned.ts";
import type { FetchRequests } from "./fetch-requests.ts";
import { HeaderRepeated, headersOf, mediaType } from "./headers.ts";
import { noticeIn } from "./payload.ts";
import type { Claim, HeaderReader, Notice, Provider, ProviderName } from "./provider.ts";
import type { Refusals } from "./refusals.ts";
import type { Seen } from "./seen.ts";

/** What all webhooks share. */
export interface Desk {
  readonly environments: readonly Environment[];
  /** They learn of branches that come and go. */
  readonly patterned: readonly Asked[];
  readonly secrets: ReadonlyMap<ProviderName, readonly string[]>;
  readonly fetches: FetchRequests;
  readonly refusals: Refusals;
  readonly delivered: Seen;
  readonly clock: Clock;
}

/** What a webhook's sender is told. */
export interface WebhookAnswer {
  readonly outcome: "accepted" | "unmatched" | "ignored" | "ping" | "seen";
  readonly message: string;
  /** Environments whose mirrors were asked to look. */
  readonly environments: readonly string[];
}

type Proof = Extract<Claim, { proves: unknown }>;

/** A longer delivery id is not remembered. */
const LONGEST_ID = 200;

/**
 * What can be said of a request before its body is read.
 * @throws WEBHOOK_REFUSED, the same for every cause: only the log tells which.
 */
export function claimOf({ raw }: FastifyRequest, provider: Provider, desk: Desk): Proof {
  const secrets = desk.secrets.get(provider.name);
  if (!secrets) throw refused(provider, desk, `webhooks.${provider.name}.secretFile is not set`);
  return refusingRepeats(provider, desk, () => {
    const claim = provider.claim(headersOf(raw), secrets, desk.clock.now());
    if ("refused" in claim) throw refused(provider, desk, claim.refused);
    return claim;
  });
}

/** Checks a whole request and does what follows from it. @throws WEBHOOK_REFUSED; USAGE for a genuine body nobody can read. */
export function receive(request: FastifyRequest, provider: Provider, desk: Desk): WebhookAnswer {
  const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  if (!claimOf(request, provider, desk).proves(bytes))
    throw refused(provider, desk, "its signature does not fit: the secrets differ, or the body was changed");
  return refusingRepeats(provider, desk, () => {
    const header = headersOf(request.raw);
    const notice = noticeIn(provider, header, { bytes, mediaType: mediaType(header("content-type")) });
    return act(notice, provider, header, desk);
  });
}

function refusingRepeats<T>(provider: Provider, desk: Desk, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof HeaderRepeated) throw refused(provider, desk, error.message);
    throw error;
  }
}

function refused(provider: Provider, { refusals }: Desk, why: string): SluiceError {
  refusals.tell(provider.name, why);
  return new SluiceError("WEBHOOK_REFUSED", "this webhook is refused");
}

function act(notice: Notice, provider: Provider, header: HeaderReader, desk: Desk): WebhookAnswer {
  if (notice.kind === "ping") return answer("ping", "the engine hears this webhook");
  const given = provider.delivery(header);
  const delivery = given && given.length <= LONGEST_ID ? given : undefined;
  const id = delivery && `${provider.name} ${delivery}`;
  if (id && desk.delivered.has(id))
    return answer("seen", "this delivery was taken before; nothing was done again");
  const taken =
    notice.kind === "ignored"
      ? answer("ignored", notice.why)
      : wake(
          concernedBy(notice, [...desk.environments, ...desk.patterned]),
          { by: provider.name, delivery },
          desk,
        );
  if (id) desk.delivered.add(id);
  return taken;
}

function wake(
  { concerned, why }: ReturnType<typeof concernedBy>,
  hint: { readonly by: string; readonly delivery: string | undefined },
  { fetches }: Desk,
): WebhookAnswer {
  if (concerned.length === 0) return answer("unmatched", why);
  for (const { environment } of concerned) fetches.ask(environment, hint);
  const names = concerned.map(({ environment }) => environment.name);
  return answer("accepted", `${names.join(", ")}: ${consequence(concerned)}`, names);
}

function consequence(concerned: readonly Concerned[]): string {
  const deleted = concerned.some(({ update }) => update.deleted);
  return deleted ? "the branch was deleted; what is deployed stays" : "the branch is looked at now";
}

function answer(
  outcome: WebhookAnswer["outcome"],
  message: string,
  environments: readonly string[] = [],
): WebhookAnswer {
  return { outcome, message, environments };
}
