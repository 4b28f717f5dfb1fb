import {
  displayPath,
  type FilePath,
  type InventoryEntry,
  type RevisionMarker,
  splitJobKey,
} from "@sluice/core";
import { skippedText } from "../desired/skipped.ts";
import { known, type Pass, type Term } from "../term.ts";

/** Why a job whose file is not among the revision's may yet be in Git: its file, or a folder above it, is no plain file there. */
export function keptFile({ skipped }: RevisionMarker): (entry: InventoryEntry) => string | undefined {
  if (!skipped) return () => undefined;
  if (skipped === "too many")
    return () =>
      "the revision holds more links, submodules and pointers than can be listed, and this job may be behind one";
  const kinds = new Map(skipped.map((file) => [file.path, file]));
  return ({ file }) => {
    for (let path: string = file; path !== ""; path = path.slice(0, Math.max(0, path.lastIndexOf("/")))) {
      const found = kinds.get(path as FilePath);
      if (found) return `${displayPath(found.path)} ${skippedText(found.kind)}`;
    }
    return undefined;
  };
}

/** Why a job has not been gone from Git for as long as its target's policy asks. */
export function stillYoung({ key, absentSince }: InventoryEntry, { term }: Pass): string | undefined {
  const graceMs = graceOf(key, term);
  if (graceMs === 0) return undefined;
  const now = term.options.clock.now();
  const since = absentSince === undefined ? now : Date.parse(absentSince);
  if (now - since >= graceMs) return undefined;
  term.later.set(key, since + graceMs);
  const due = new Date(since + graceMs).toISOString();
  return `it is gone from Git, and is removed after ${due} unless it comes back`;
}

/** Keeps in the inventory since when Git no longer names a job, so that an engine that takes over goes on counting. */
export function noteAbsence(term: Term, key: InventoryEntry["key"], absent: boolean): void {
  const records = known(term.records, "records");
  const entry = records.inventory.get(key);
  if (!entry || absent === (entry.absentSince !== undefined)) return;
  const { absentSince: _, ...named } = entry;
  if (!absent) records.record(named);
  else if (graceOf(key, term) > 0)
    records.record({ ...named, absentSince: new Date(term.options.clock.now()).toISOString() });
}

function graceOf(key: InventoryEntry["key"], { tree }: Term): number {
  return tree?.policy.get(splitJobKey(key).target)?.graceMs ?? 0;
}
