import {
  decodeRecord,
  type FilePath,
  fingerprintOf,
  type JobFormat,
  type JobKey,
  type Json,
  type KvEntry,
  type ParsedJob,
  SluiceError,
  splitJobKey,
  suggest,
} from "@sluice/core";
import type { Environment } from "../../engine/environment.ts";
import type { HttpContext } from "../context.ts";

/** Which file of the environment a job is in, as its status or the inventory has it. @throws NOT_FOUND with a suggestion */
export async function fileOfJob(
  { name, layout }: Environment,
  key: JobKey,
  { kv }: Pick<HttpContext, "kv">,
): Promise<FilePath> {
  const places = [layout.status(key), layout.inventory(key)] as const;
  const found = await kv.getMany(places);
  const [status, inventory] = places.map((place) => found.get(place)) as [KvEntry?, KvEntry?];
  const file =
    (status && decodeRecord("status", status).file) ??
    (inventory && decodeRecord("inventory", inventory).file);
  if (file) return file;
  const keys = await kv.list(layout.statuses, undefined, (entry) => entry.key.slice(layout.statuses.length));
  throw new SluiceError("NOT_FOUND", `${name} has no job "${key}"${suggest(key, keys)}`);
}

/** How jobs of a key's target are written. @throws NOT_FOUND */
export function formatOfJob({ name, formats }: Environment, key: JobKey): JobFormat {
  const format = formats.get(splitJobKey(key).target);
  if (format) return format;
  throw new SluiceError("NOT_FOUND", `${name} has no target of the job "${key}"`);
}

/** The job in a file's bytes; `unreadable` where it is not there because the file has a problem. */
export function jobIn(
  format: JobFormat,
  file: { readonly path: FilePath; readonly bytes: Uint8Array },
  key: JobKey,
): ParsedJob | "unreadable" | undefined {
  const { target, id } = splitJobKey(key);
  const { jobs, problems } = format.parse(file, target);
  return jobs.find((job) => job.id === id) ?? (problems.length > 0 ? "unreadable" : undefined);
}

/** Differs where anything of the job does: what is sent, or what only Sluice reads. */
export function identityOf({ spec, options }: ParsedJob): string {
  return `${fingerprintOf(spec)} ${JSON.stringify(options as unknown as Json)}`;
}
