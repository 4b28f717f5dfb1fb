import { decodeRecord, isSluiceError, type JobKey, type KvEntry, OK, type Outcome } from "@sluice/core";
import { jobRecords } from "../records/job-records.ts";
import type { Pass } from "../term.ts";

/** Reads statuses, inventory and deployment once a term: from then on the leader alone writes them. */
export async function recall({ term }: Pass, signal: AbortSignal): Promise<Outcome> {
  if (term.records) return OK;
  const { kv, clock } = term.options;
  const { layout, writer, emit } = term;
  const [statuses, inventory, deployment] = await Promise.all([
    kv.list(layout.statuses, signal),
    kv.list(layout.inventories, signal),
    kv.get(layout.deployment, signal),
  ]);
  term.deployment = deployment && deploymentIn(deployment);
  const changed = term.census.note;
  const ownerOf = (key: JobKey) => term.tree?.desired.jobs.get(key)?.options;
  term.records = jobRecords({ layout, writer, emit, clock, statuses, inventory, changed, ownerOf });
  return OK;
}

function deploymentIn(entry: KvEntry) {
  try {
    return decodeRecord("deployment", entry);
  } catch (error) {
    // Somebody overwrote it by hand: it is written anew.
    if (isSluiceError(error, "KV_RECORD_INVALID")) return undefined;
    throw error;
  }
}
