import {
  type ChangesRecord,
  decodeRecord,
  type JobKey,
  type JobStatus,
  type Kv,
  type KvEntry,
  type KvLayout,
  parseRevision,
} from "@sluice/core";
import type { Fact, NoticeJob } from "../notice/notice.ts";
import { oneLine } from "../notice/notice.ts";

/** Adds what the KV knows: whose commit it was, what it came after, who owns each job, why it failed, how to go back. */
export async function enriched(kv: Kv, layout: KvLayout, fact: Fact, signal: AbortSignal): Promise<Fact> {
  const commit = fact.revision === undefined ? undefined : parseRevision(fact.revision).commit;
  const place = commit && layout.change(commit);
  const places = fact.jobs.map(({ key }) => layout.status(key));
  if (!place && places.length === 0) return fact;
  const found = await kv.getMany([...(place ? [place] : []), ...places], signal);
  const record = place === undefined ? undefined : readable("changes", found.get(place));
  const jobs = fact.jobs.map((job) =>
    withStatus(job, readable("status", found.get(layout.status(job.key))), commit),
  );
  return {
    ...fact,
    ...(record?.previous === undefined ? {} : { previous: record.previous }),
    ...(fact.commit || commit === undefined ? {} : { commit: commitOf(commit, record) }),
    jobs,
  };
}

function commitOf(id: string, record: ChangesRecord | undefined): NonNullable<Fact["commit"]> {
  return record ? { id, subject: record.commit.subject, author: record.commit.author } : { id };
}

function withStatus(job: NoticeJob, status: JobStatus | undefined, commit: string | undefined): NoticeJob {
  if (!status) return job;
  const told = job.kind === undefined ? {} : { reason: job.reason ?? status.reason };
  const message = job.kind === undefined ? undefined : (job.message ?? status.message);
  const rollback = rollbackOf(job, status, commit);
  return {
    ...job,
    ...told,
    ...(message === undefined ? {} : { message }),
    ...(job.owner === undefined && status.owner !== undefined ? { owner: status.owner } : {}),
    ...(rollback === undefined ? {} : { rollback }),
  };
}

/** Only of what failed, and only where another revision is known to have been well. */
function rollbackOf(job: NoticeJob, { key, applied }: JobStatus, commit: string | undefined) {
  if (job.kind !== "job.failed" && job.kind !== "job.rolled-back" && job.kind !== "job.held")
    return undefined;
  if (applied === undefined) return undefined;
  const good = parseRevision(applied).commit;
  return good === commit ? undefined : `sluice rollback ${shellWord(key)} --to ${good.slice(0, 12)}`;
}

/** Pasted into a shell it is one word, whatever the key holds. */
function shellWord(key: JobKey): string {
  const word = oneLine(key);
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What cannot be read is left out: a message is worth more than its last detail. */
function readable<K extends "changes" | "status">(kind: K, entry: KvEntry | undefined) {
  try {
    return entry && decodeRecord(kind, entry);
  } catch {
    return undefined;
  }
}
