import type {
  CommitId,
  Desired,
  DesiredFile,
  FilePath,
  ObjectId,
  Problem,
  Source,
  TargetName,
  TreeFile,
} from "@sluice/core";
import { type Formats, isJobFile, parseJobFile } from "../desired/parse-file.ts";
import { resolveUnder } from "../desired/resolve.ts";
import { parsePolicy } from "../policy/parse-policy.ts";
import { defaultPolicy, POLICY_FILE, type Policy } from "../policy/policy.ts";

/** A whole set of files and what it wants. */
export interface Snapshot {
  /** Object ids by path, so that an unchanged file is not read again. */
  readonly oids: ReadonlyMap<FilePath, ObjectId>;
  /** What is in the tree and is no plain file: symlinks, submodules, LFS pointers. Nothing of it is mirrored. */
  readonly others: ReadonlyMap<FilePath, TreeFile["kind"]>;
  readonly files: ReadonlyMap<FilePath, DesiredFile>;
  readonly policy: Policy;
  readonly policyProblems: readonly Problem[];
  readonly desired: Desired;
}

/** The snapshot of a commit, everything read. */
export async function snapshotOf(
  source: Source,
  commit: CommitId,
  formats: Formats,
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const tree = await source.tree(commit, signal);
  const oids = new Map<FilePath, ObjectId>();
  const others = new Map<FilePath, TreeFile["kind"]>();
  for (const { path, kind, oid } of tree) {
    if (kind === "file") oids.set(path, oid);
    else others.set(path, kind);
  }
  return assemble(source, { oids, others }, undefined, formats, signal);
}

/** The snapshot of a commit, reading only what differs from another one. */
export async function movedSnapshot(
  source: Source,
  [base, from]: readonly [Snapshot, CommitId],
  to: CommitId,
  formats: Formats,
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const changes = await source.changes(from, to, signal);
  if (changes.length === 0) return base;
  const oids = new Map(base.oids);
  const others = new Map(base.others);
  for (const { path, to: after } of changes) {
    oids.delete(path);
    others.delete(path);
    if (after?.kind === "file") oids.set(path, after.oid);
    else if (after) others.set(path, after.kind);
  }
  return assemble(source, { oids, others }, base, formats, signal);
}

/** The snapshot of files that are at hand. */
export function snapshotOfFiles(contents: ReadonlyMap<FilePath, Uint8Array>, formats: Formats): Snapshot {
  const { policy, problems } = policyIn(contents.get(POLICY_FILE), formats);
  const files = new Map<FilePath, DesiredFile>();
  for (const [path, bytes] of contents) {
    const file = parseJobFile({ path, bytes }, policy, formats);
    if (file) files.set(path, file);
  }
  return {
    oids: new Map(),
    others: new Map(),
    files,
    policy,
    policyProblems: problems,
    desired: resolveUnder(policy, files, problems),
  };
}

async function assemble(
  source: Source,
  { oids, others }: Pick<Snapshot, "oids" | "others">,
  base: Snapshot | undefined,
  formats: Formats,
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const { policy, problems } = await policyAt(source, oids, base, formats, signal);
  const files = new Map<FilePath, DesiredFile>();
  const unread: FilePath[] = [];
  for (const [path, oid] of oids) {
    const kept = base?.policy === policy && base.oids.get(path) === oid;
    const file = kept ? base.files.get(path) : undefined;
    if (file) files.set(path, file);
    else if (!kept && isJobFile(path, policy, formats)) unread.push(path);
  }
  for await (const { path, bytes } of readFiles(source, unread, oids, signal)) {
    const file = parseJobFile({ path, bytes }, policy, formats);
    if (file) files.set(path, file);
  }
  const desired = resolveUnder(policy, files, problems);
  return { oids, others, files, policy, policyProblems: problems, desired };
}

async function* readFiles(
  source: Source,
  paths: readonly FilePath[],
  oids: ReadonlyMap<FilePath, ObjectId>,
  signal: AbortSignal | undefined,
): AsyncIterable<{ path: FilePath; bytes: Uint8Array }> {
  if (paths.length === 0) return;
  let at = 0;
  const wanted = paths.flatMap((path) => oids.get(path) ?? []);
  for await (const bytes of source.blobs.read(wanted, signal)) {
    const path = paths[at++];
    if (path !== undefined) yield { path, bytes };
  }
}

/** The very same policy object where `deploy.yaml` did not change: by that it is known that parsed files may be kept. */
async function policyAt(
  source: Source,
  oids: ReadonlyMap<FilePath, ObjectId>,
  base: Snapshot | undefined,
  formats: Formats,
  signal: AbortSignal | undefined,
): Promise<{ policy: Policy; problems: readonly Problem[] }> {
  if (base && base.oids.get(POLICY_FILE) === oids.get(POLICY_FILE))
    return { policy: base.policy, problems: base.policyProblems };
  for await (const { bytes } of readFiles(source, oids.has(POLICY_FILE) ? [POLICY_FILE] : [], oids, signal))
    return policyIn(bytes, formats);
  return policyIn(undefined, formats);
}

/** With a file that has problems, jobs are looked at as if there were none: its problems are what is reported first. */
function policyIn(
  bytes: Uint8Array | undefined,
  formats: Formats,
): { policy: Policy; problems: readonly Problem[] } {
  const targets: TargetName[] = [...formats.keys()];
  const { policy, problems } = parsePolicy(bytes, targets);
  return { policy: policy ?? defaultPolicy(targets), problems };
}
