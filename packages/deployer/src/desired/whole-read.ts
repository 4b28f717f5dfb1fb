import {
  blobId,
  type DesiredFile,
  EMPTY_DIGEST,
  type FilePath,
  type KvEntry,
  type ObjectId,
  type RevisionMarker,
  type TargetName,
  toggleFiles,
} from "@sluice/core";
import { type ParsedPolicy, parsePolicy } from "../policy/parse-policy.ts";
import { POLICY_FILE, type Policy } from "../policy/policy.ts";
import type { Term } from "../term.ts";
import { type Formats, parseJobFile } from "./parse-file.ts";
import { skippedFiles, skippedPolicy } from "./skipped.ts";
import { newTree, type Tree } from "./tree.ts";

/** Parsing thousands of files takes seconds: it pauses this often, so that the lock's session is kept alive meanwhile. */
const FILES_AT_A_TIME = 200;

export type WholeRead =
  | { readonly kind: "tree"; readonly tree: Tree }
  /** The files are not those the marker speaks of. */
  | { readonly kind: "mix" }
  /** `deploy.yaml` has problems, and no earlier one is known. */
  | { readonly kind: "no-policy"; readonly problems: Tree["policyProblems"] };

/** Reads every file of the environment, and checks that together they are the marker's revision. */
export async function readWhole(term: Term, marker: RevisionMarker, signal: AbortSignal): Promise<WholeRead> {
  const { kv, targets } = term.options;
  const bytes = new Map<FilePath, Uint8Array>();
  for (const entry of await kv.list(term.layout.files, signal)) bytes.set(pathOf(entry, term), entry.value);
  const oids = await oidsOf(bytes);
  const digest = toggleFiles(EMPTY_DIGEST, entriesOf(oids));
  if (digest !== marker.digest) return { kind: "mix" };
  const parsed = policyIn(bytes.get(POLICY_FILE), marker, [...targets.keys()]);
  const policy = parsed.policy ?? term.tree?.policy;
  if (!policy) return { kind: "no-policy", problems: parsed.problems };
  const formats = formatsOf(term);
  const files = await parseAll(bytes, policy, formats, signal);
  for (const [path, file] of skippedFiles(marker, policy, formats)) files.set(path, file);
  return { kind: "tree", tree: newTree({ marker, oids, files, policy, policyProblems: parsed.problems }) };
}

function policyIn(
  bytes: Uint8Array | undefined,
  marker: RevisionMarker,
  targets: readonly TargetName[],
): ParsedPolicy {
  const problem = bytes ? undefined : skippedPolicy(marker);
  return problem ? { policy: undefined, problems: [problem] } : parsePolicy(bytes, targets);
}

export function formatsOf({ options }: Term): Formats {
  return new Map([...options.targets].map(([name, { format }]) => [name, format]));
}

function* entriesOf(oids: ReadonlyMap<FilePath, ObjectId>): Iterable<{ path: FilePath; oid: ObjectId }> {
  for (const [path, oid] of oids) yield { path, oid };
}

function pathOf(entry: KvEntry, { layout }: Term): FilePath {
  return entry.key.slice(layout.files.length) as FilePath;
}

async function oidsOf(bytes: ReadonlyMap<FilePath, Uint8Array>): Promise<Map<FilePath, ObjectId>> {
  const oids = new Map<FilePath, ObjectId>();
  for (const [path, content] of bytes) {
    oids.set(path, blobId(content));
    if (oids.size % FILES_AT_A_TIME === 0) await pause();
  }
  return oids;
}

async function parseAll(
  bytes: ReadonlyMap<FilePath, Uint8Array>,
  policy: Policy,
  formats: Formats,
  signal: AbortSignal,
): Promise<Map<FilePath, DesiredFile>> {
  const files = new Map<FilePath, DesiredFile>();
  for (const [path, content] of bytes) {
    const file = parseJobFile({ path, bytes: content }, policy, formats);
    if (file) files.set(path, file);
    if (files.size % FILES_AT_A_TIME === 0) await pause();
    signal.throwIfAborted();
  }
  return files;
}

/** Lets everything else of the process have its turn. */
function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
