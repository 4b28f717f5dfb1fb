import { type CommitId, isJsonObject, type KvEntry } from "@sluice/core";
import type { Mark } from "./decide.ts";

/** `<env>/image-marks`: what Git has had of each image, so that what a person went back from is not written again. */
export interface Marks {
  /** By canonical name. */
  readonly marks: Readonly<Record<string, Mark>>;
  /** Written before a commit is pushed: they count if the repository has the commit, whatever became of us. */
  readonly pending?:
    | { readonly commit: CommitId; readonly marks: Readonly<Record<string, Mark>> }
    | undefined;
}

export const NO_MARKS: Marks = { marks: {} };

export function encodeMarks(marks: Marks): Uint8Array {
  return Buffer.from(JSON.stringify(marks));
}

/** A record that somebody wrote over counts as none: what is remembered only holds commits back. */
export function decodeMarks(entry: KvEntry | undefined): Marks {
  if (!entry) return NO_MARKS;
  try {
    const value: unknown = JSON.parse(Buffer.from(entry.value).toString("utf8"));
    if (!isJsonObject(value) || !isJsonObject(value.marks)) return NO_MARKS;
    return value as unknown as Marks;
  } catch {
    return NO_MARKS;
  }
}
