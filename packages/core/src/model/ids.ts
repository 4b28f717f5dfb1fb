import { SluiceError } from "../errors.ts";

declare const brand: unique symbol;
/** A string that is known to be of one kind. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** An environment's name: `staging`. */
export type EnvName = Brand<string, "EnvName">;
/** A target's name: `apps`. */
export type TargetName = Brand<string, "TargetName">;
/** A job's id in its scheduler, without a leading slash: `shop/web`. */
export type JobId = Brand<string, "JobId">;
/** `<target>/<id>`: unique in an environment. */
export type JobKey = Brand<string, "JobKey">;
/** A commit: 40 lower-case hex digits. */
export type CommitId = Brand<string, "CommitId">;
/** A commit of a branch: `main@sha1:<40 hex>`. */
export type Revision = Brand<string, "Revision">;
/** SHA-256 of a spec's canonical JSON, 64 hex digits. */
export type Fingerprint = Brand<string, "Fingerprint">;
/** A Git object's id: 40 lower-case hex digits. */
export type ObjectId = Brand<string, "ObjectId">;

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const HEX40 = /^[0-9a-f]{40}$/;

/** What stands beside the environments in the KV: an environment of this name would share keys with it. */
const RESERVED = ["locks", "images", "builds", "notices"];

/**
 * @throws USAGE where the text is not a lower-case name of letters, digits and inner hyphens, at most 63 long, or is one of
 *   the words Sluice uses itself beside the environments (`locks`, `images`, `builds`, `notices`).
 */
export function envName(text: string): EnvName {
  if (RESERVED.includes(text))
    throw new SluiceError(
      "USAGE",
      `"${text}" is no environment name: Sluice keeps other things under that word`,
    );
  return named("environment", text) as EnvName;
}

/** @throws USAGE, as `envName`; no word is reserved. */
export function targetName(text: string): TargetName {
  return named("target", text) as TargetName;
}

function named(kind: string, text: string): string {
  if (NAME.test(text)) return text;
  throw new SluiceError(
    "USAGE",
    `"${text}" is no ${kind} name: use lower-case letters, digits and inner hyphens, at most 63`,
  );
}

/** A scheduler's own id without its leading slash. */
export function jobId(text: string): JobId {
  return text.replace(/^\/+/, "") as JobId;
}

export function jobKey(target: TargetName, id: JobId): JobKey {
  return `${target}/${id}` as JobKey;
}

/** Takes `apps/shop/web` apart; a target's name holds no slash. */
export function splitJobKey(key: JobKey): { target: TargetName; id: JobId } {
  const cut = key.indexOf("/");
  return { target: key.slice(0, cut) as TargetName, id: key.slice(cut + 1) as JobId };
}

/** @throws USAGE where the text is not 40 lower-case hex digits. */
export function commitId(text: string): CommitId {
  if (HEX40.test(text)) return text as CommitId;
  throw new SluiceError("USAGE", `"${text}" is no commit id: 40 lower-case hex digits are needed`);
}

export function revisionOf(branch: string, commit: CommitId): Revision {
  return `${branch}@sha1:${commit}` as Revision;
}

/** @throws USAGE where the text is not `<branch>@sha1:<40 hex>`. */
export function parseRevision(text: string): { branch: string; commit: CommitId } {
  const cut = text.lastIndexOf("@sha1:");
  if (cut < 1) throw new SluiceError("USAGE", `"${text}" is no revision: <branch>@sha1:<40 hex> is needed`);
  return { branch: text.slice(0, cut), commit: commitId(text.slice(cut + 6)) };
}

/** For people: `main@sha1:0123abcd`. */
export function shortRevision(revision: Revision): string {
  return revision.slice(0, revision.lastIndexOf(":") + 9);
}
