import { createHash } from "node:crypto";
import { type Clock, type CommitId, type Kv, type KvEntry, type KvOp, SluiceError } from "@sluice/core";
import { type BuildRecord, buildLayout, decodeBuild, encodeBuild, isFinished } from "./record.ts";

/** One branch that a push moved. */
export interface PushedBranch {
  /** Full: `refs/heads/main`. */
  readonly ref: string;
  readonly from: CommitId | undefined;
  readonly to: CommitId;
}

export interface BuildRequest {
  readonly app: string;
  readonly repository: string;
  readonly branch: PushedBranch;
  /** True: the build of this push is done once more, although it is done already. */
  readonly again?: boolean;
}

export interface BuildRequests {
  readonly kv: Kv;
  readonly prefix: string;
  readonly clock: Clock;
}

const ATTEMPTS = 5;

/**
 * Writes down that a build is wanted; the service begins it. Asking twice for the same push is asking once.
 * @returns the record, and whether this call made it.
 * @throws as the KV; KV_UNREACHABLE means that it may or may not be written down, and asking again is safe.
 */
export async function requestBuild(
  { kv, prefix, clock }: BuildRequests,
  request: BuildRequest,
  signal?: AbortSignal,
): Promise<{ readonly record: BuildRecord; readonly created: boolean }> {
  const layout = buildLayout(prefix);
  const id = buildId(request);
  const key = layout.record({ app: request.app, id });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const entry = await kv.get(key, signal);
    const known = entry && decodeBuild(entry);
    if (known && !(request.again && isFinished(known))) return { record: known, created: false };
    const first = newRecord(request, id, new Date(clock.now()).toISOString());
    const record = known ? { ...first, repeats: (known.repeats ?? 0) + 1 } : first;
    const ops: KvOp[] = [
      { verb: "cas", key, value: encodeBuild(record), index: entry?.modifyIndex ?? "0" },
      { verb: "set", key: layout.bell, value: Buffer.from(`${record.requestedAt} ${id}`) },
    ];
    if ((await kv.commit(ops, {}, signal)).applied) return { record, created: true };
  }
  throw new SluiceError("KV_UNREACHABLE", `the KV key ${key} changes too fast to be written`);
}

/** The builds of an app, the newest first; records that cannot be read are left out. */
export async function listBuilds(
  { kv, prefix }: Omit<BuildRequests, "clock">,
  app: string,
  signal?: AbortSignal,
): Promise<readonly BuildRecord[]> {
  const entries = await kv.list(buildLayout(prefix).app(app), signal);
  return entries
    .flatMap((entry) => readable(entry) ?? [])
    .sort((a, b) => (a.requestedAt < b.requestedAt ? 1 : -1));
}

function readable(entry: KvEntry): BuildRecord | undefined {
  try {
    return decodeBuild(entry);
  } catch {
    return undefined;
  }
}

function newRecord({ app, repository, branch }: BuildRequest, id: string, requestedAt: string): BuildRecord {
  return {
    id,
    app,
    repository,
    ref: branch.ref,
    commit: branch.to,
    ...(branch.from ? { before: branch.from } : {}),
    requestedAt,
    state: "requested",
    message: "the build waits to be begun",
    attempts: 0,
  };
}

function buildId({ app, branch }: BuildRequest): string {
  const parts = [app, branch.ref, branch.from ?? "", branch.to];
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 20);
}
