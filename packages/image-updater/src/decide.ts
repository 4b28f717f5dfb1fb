import type { Announced } from "./announcement.ts";
import type { TagOrder } from "./policy/order.ts";
import type { ImagePolicy } from "./policy/parse-policies.ts";

/** What a reference says besides the image's name. */
export interface Version {
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** What is remembered of the newest version of an image that Git has had. */
export interface Mark extends Version {
  /** When it was announced; ISO 8601. */
  readonly at?: string | undefined;
  /** Digests that Git has had, newest first. */
  readonly digests?: readonly string[];
}

export interface Decision {
  /** What every place that is older, or cannot be compared, is to say; undefined: nothing is to change. */
  readonly target: Version | undefined;
  /** The mark once the target is in Git; undefined: none. */
  readonly mark: Mark | undefined;
  /** Of what was announced, what cannot be used, with the reason. */
  readonly refused: readonly { readonly version: Version; readonly why: string }[];
  /** Newer than what Git says, and yet not written: a person went back from it. */
  readonly held: Version | undefined;
}

const KEPT_DIGESTS = 50;

/**
 * Which version an image is to have. Level-triggered: it is asked again and again with the same announcements, in any order and any
 * number of times, and never goes back. A version that Git has had is not written again: somebody may have gone back from it.
 * @param current what the places that name the image say now.
 */
export function decide(
  { order, pin, digest, untagged }: ImagePolicy,
  announced: readonly Announced[],
  current: readonly Version[],
  mark: Mark | undefined,
): Decision {
  // While a pin holds nothing is remembered, so that whatever is newest counts when it is taken off.
  if (pin !== undefined) return { ...NOTHING, target: { tag: pin, digest: undefined } };
  if (!order) return NOTHING;
  const refused: { version: Version; why: string }[] = [];
  let newest: (Version & { at?: string | undefined }) | undefined;
  for (const one of announced) {
    const version = { tag: one.tag, digest: digest ? one.digest : undefined, at: one.at };
    const why = refusal(one, order, digest, untagged);
    if (why) refused.push({ version: { tag: one.tag, digest: one.digest }, why });
    else if (newest === undefined || isNewer(order, version, newest)) newest = version;
  }
  const raised = raisedBy(order, current, mark);
  if (!newest) return { target: undefined, mark: raised, refused, held: undefined };
  const { at, ...target } = newest;
  const older = current.some((one) => isNewer(order, target, one));
  if (raised && !isNewer(order, newest, raised))
    return { target: undefined, mark: raised, refused, held: older ? target : undefined };
  if (!older) return { target: undefined, mark: raised, refused, held: undefined };
  return { target, mark: marked(newest, raised), refused, held: undefined };
}

const NOTHING: Decision = { target: undefined, mark: undefined, refused: [], held: undefined };

/** Whether a place with this version is to have the target. @param pinned a pin is obeyed also where it is older. */
export function isOutdated(policy: ImagePolicy, target: Version, current: Version): boolean {
  if (policy.pin !== undefined || !policy.order)
    return target.tag !== current.tag || current.digest !== undefined;
  return isNewer(policy.order, target, current);
}

function refusal(one: Announced, order: TagOrder, digest: boolean, untagged: boolean): string | undefined {
  if (one.tag === undefined && !untagged) return "names no tag";
  if (digest && one.digest === undefined)
    return "names no digest, and this image is to be named by its digest";
  return one.tag === undefined ? undefined : order.refuses(one.tag);
}

/** Whether a version takes the other's place: it is later in the order, or the same tag with a digest that came later. */
function isNewer(order: TagOrder, one: Version & { at?: string | undefined }, than: Mark): boolean {
  const compared = order.compare(one.tag, than.tag);
  if (compared !== undefined && compared !== 0) return compared > 0;
  if (compared === undefined && one.tag !== undefined && one.tag !== than.tag) return !wasThere(one, than);
  if (one.digest === undefined || one.digest === than.digest || than.digests?.includes(one.digest))
    return false;
  return one.at === undefined || than.at === undefined || one.at > than.at;
}

function wasThere({ digest }: Version, { digests }: Mark): boolean {
  return digest !== undefined && digests?.includes(digest) === true;
}

/** What a person wrote that is newer than what was written before counts as had: going back from it is respected, too. */
function raisedBy(order: TagOrder, current: readonly Version[], mark: Mark | undefined): Mark | undefined {
  if (!mark) return undefined;
  return current.reduce<Mark>((highest, one) => {
    return (order.compare(one.tag, highest.tag) ?? 0) > 0 ? marked(one, highest) : highest;
  }, mark);
}

function marked(version: Version & { at?: string | undefined }, before: Mark | undefined): Mark {
  const { tag, digest, at } = version;
  const known = [digest, ...(before?.digests ?? [])].filter((one): one is string => one !== undefined);
  const digests = [...new Set(known)].slice(0, KEPT_DIGESTS);
  return { tag, digest, ...(at === undefined ? {} : { at }), ...(digests.length > 0 ? { digests } : {}) };
}
