import { type CommitId, isJsonObject, type KvEntry, SluiceError } from "@sluice/core";

/** How a build ended. `handed-over`: a CI that does not tell how it goes took it. `lost`: nothing more was heard of it in time. */
export type BuildEnd = "succeeded" | "failed" | "aborted" | "handed-over" | "lost";
export type BuildState = "requested" | "starting" | "queued" | "running" | BuildEnd;

/** One build that a push asked for; kept in the KV, one key a build. Times are ISO 8601, UTC. */
export interface BuildRecord {
  /** The same for the same push of the same commit to the same branch, however often it is told. */
  readonly id: string;
  readonly app: string;
  /** Path or URL, as the hook names it. */
  readonly repository: string;
  /** Full: `refs/heads/main`. */
  readonly ref: string;
  readonly commit: CommitId;
  /** What the branch was at before; absent for a new branch. */
  readonly before?: CommitId;
  readonly requestedAt: string;
  readonly state: BuildState;
  /** A sentence for a person. */
  readonly message: string;
  /** How often the CI was asked to begin. */
  readonly attempts: number;
  /** How often a person asked for it once more; absent: never. */
  readonly repeats?: number;
  /** What the CI calls it; opaque. */
  readonly handle?: string;
  /** Where a person looks at it. */
  readonly url?: string;
  readonly finishedAt?: string;
}

const ENDS: ReadonlySet<BuildState> = new Set<BuildEnd>([
  "succeeded",
  "failed",
  "aborted",
  "handed-over",
  "lost",
]);
const REQUIRED = ["id", "app", "ref", "commit", "requestedAt", "state", "attempts"] as const;

export function isFinished(build: BuildRecord): build is BuildRecord & { readonly state: BuildEnd } {
  return ENDS.has(build.state);
}

/** What a CI knows this run of a build by: one that is asked for once more is another one. */
export function runId({ id, repeats }: BuildRecord): string {
  return repeats ? `${id}-${repeats}` : id;
}

/** Where builds live in the KV. Prefixes end with a slash. */
export interface BuildLayout {
  readonly all: string;
  app(app: string): string;
  record(build: { readonly app: string; readonly id: string }): string;
  /** Changes with each request, so that one watch is enough. */
  readonly bell: string;
  readonly lock: string;
}

/** @param prefix of everything Sluice keeps, with or without slashes around it. */
export function buildLayout(prefix: string): BuildLayout {
  const top = prefix.replace(/^\/+|\/+$/g, "");
  const above = top === "" ? "" : `${top}/`;
  const all = `${above}builds/of/`;
  return {
    all,
    app: (app) => `${all}${app}/`,
    record: ({ app, id }) => `${all}${app}/${id}`,
    bell: `${above}builds/requested`,
    lock: `${above}locks/builds`,
  };
}

export function encodeBuild(record: BuildRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record));
}

/** @throws KV_RECORD_INVALID, naming the key. */
export function decodeBuild(entry: KvEntry): BuildRecord {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(entry.value).toString("utf8"));
  } catch {
    value = undefined;
  }
  const whole = isJsonObject(value) && REQUIRED.every((name) => name in (value as object));
  if (!whole)
    throw new SluiceError("KV_RECORD_INVALID", `the KV key ${entry.key} holds no record of a build`);
  return value as unknown as BuildRecord;
}
