import { type Clock, type Kv, kvLayout, SluiceError } from "@sluice/core";
import { type Announced, checkAnnounced, parseAnnouncements, withAnnounced } from "./announcement.ts";
import { isImageName } from "./reference.ts";

export interface AnnounceOptions {
  readonly kv: Kv;
  /** Of all keys: `sluice/`. */
  readonly prefix: string;
  readonly clock: Clock;
}

/** Tries of one announcement against others of the same image that are written at the same time. */
const MOST_TRIES = 20;

/**
 * Writes that there is an image, beside what was announced before, so that several tags of one push do not hide each other.
 * @throws USAGE for a name, a tag or a digest that is none; what `Kv` throws.
 */
export async function announce(
  { kv, prefix, clock }: AnnounceOptions,
  name: string,
  said: Announced,
  signal?: AbortSignal,
): Promise<Announced> {
  const problem = isImageName(name) ? checkAnnounced(said) : "its name is no image's, without tag and digest";
  if (problem) throw new SluiceError("USAGE", `this image cannot be announced: ${problem}`);
  // Names say nothing of an environment: `images/` is beside them all.
  const key = kvLayout(prefix, "any" as Parameters<typeof kvLayout>[1]).image(name);
  const stamped = { ...said, at: said.at ?? new Date(clock.now()).toISOString() };
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const entry = await kv.get(key, signal);
    const before = entry ? parseAnnouncements(entry.value) : { all: [], problems: [] };
    const op = {
      verb: "cas",
      key,
      value: withAnnounced(before, stamped),
      index: entry?.modifyIndex ?? "0",
    } as const;
    if ((await kv.commit([op], {}, signal)).applied) return stamped;
  }
  throw new SluiceError("KV_UNREACHABLE", `${key} is written by others all the time; try again`);
}
