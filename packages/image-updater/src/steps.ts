import {
  decodePath,
  type FilePath,
  isSluiceError,
  type KvLayout,
  OK,
  type Outcome,
  type Step,
  wait,
} from "@sluice/core";
import { parseAnnouncements } from "./announcement.ts";
import { commit } from "./commit.ts";
import { decide } from "./decide.ts";
import { draft } from "./draft.ts";
import { gather } from "./gather.ts";
import { decodeMarks } from "./marks.ts";
import { versionText } from "./message.ts";
import { filled, type Heard, type Pass } from "./pass.ts";
import { POLICY_FILE, parsePolicies } from "./policy/parse-policies.ts";
import { canonicalName, isImageName } from "./reference.ts";
import { remember } from "./remember.ts";
import { scan } from "./scan.ts";

/**
 * One pass of the image updater. It is level-triggered: whatever was announced, in any order, is compared with what Git says now.
 */
export const STEPS: readonly Step<Pass>[] = [
  readHead,
  readAnnouncements,
  readMarks,
  readPolicies,
  findPlaces,
  choose,
  draft,
  gather,
  commit,
  remember,
];

async function readHead(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { source, intervalMs } = pass.settings;
  const head = await source.head(signal);
  if (head === undefined) return wait("Pending", `the branch "${source.branch}" does not exist`, intervalMs);
  pass.head = head;
  return OK;
}

async function readAnnouncements(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { kv, layout, emit } = pass.settings;
  const heard = new Map<string, Heard>();
  pass.entries = await kv.list(layout.images, signal);
  pass.settings.looked?.(pass.entries.length);
  for (const entry of pass.entries) {
    const image = nameInKey(layout, entry.key);
    if (image === undefined) continue;
    const { all, problems } = parseAnnouncements(entry.value);
    const canonical = canonicalName(image);
    heard.set(canonical, { all: [...(heard.get(canonical)?.all ?? []), ...all] });
    for (const why of problems)
      pass.telling.set(`${entry.key} ${entry.modifyIndex} ${why}`, () =>
        emit({ type: "image.refused", image, why: `what is announced of it is of no use: ${why}` }),
      );
  }
  pass.heard = heard;
  return OK;
}

/** Undefined for a key that is no image's; it may be anybody's. */
export function nameInKey({ images }: Pick<KvLayout, "images">, key: string): string | undefined {
  const name = Buffer.from(decodePath(key.slice(images.length) as FilePath)).toString("utf8");
  return isImageName(name) ? name : undefined;
}

async function readMarks(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { kv, layout, source } = pass.settings;
  const entry = await kv.get(layout.imageMarks, signal);
  const written = decodeMarks(entry);
  const { marks, pending } = written;
  const landed = pending !== undefined && (await isThere(source, pending.commit, signal));
  pass.record = {
    index: entry?.modifyIndex ?? "0",
    written,
    marks: { ...marks, ...(landed ? pending.marks : {}) },
  };
  return OK;
}

/** A commit's objects come into a repository with the branch that takes it, or not at all. */
async function isThere(
  { describe }: Pass["settings"]["source"],
  commit: Parameters<typeof describe>[0],
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await describe(commit, signal);
    return true;
  } catch (error) {
    if (isSluiceError(error, "GIT_OBJECT_MISSING")) return false;
    throw error;
  }
}

async function readPolicies(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { settings, memory } = pass;
  const head = filled(pass.head);
  if (memory.policies && memory.scan?.commit !== head) await forgetChangedPolicies(pass, signal);
  if (!memory.policies) {
    const file = (await settings.source.tree(head, signal)).find(({ path }) => path === POLICY_FILE);
    let bytes: Uint8Array | undefined;
    for await (const read of settings.source.blobs.read(file ? [file.oid] : [], signal)) bytes = read;
    memory.policies = { oid: file?.oid ?? "", read: parsePolicies(bytes) };
  }
  const { read } = memory.policies;
  const { problems } = read;
  if (problems.length > 0)
    pass.telling.set(`policies ${memory.policies.oid}`, () =>
      settings.emit({ type: "images.invalid", problems }),
    );
  pass.policies = read;
  return OK;
}

/** What was read holds until the file changes. */
async function forgetChangedPolicies({ settings, memory, head }: Pass, signal: AbortSignal): Promise<void> {
  const before = memory.scan?.commit;
  const changes = before ? await settings.source.changes(before, filled(head), signal) : [];
  if (!before || changes.some(({ path }) => path === POLICY_FILE)) memory.policies = undefined;
}

async function findPlaces(pass: Pass, signal: AbortSignal): Promise<Outcome> {
  const { settings, memory } = pass;
  const names = [...filled(pass.policies).images.keys()];
  memory.scan = await scan(
    { source: settings.source, head: filled(pass.head), names, before: memory.scan },
    signal,
  );
  pass.scan = memory.scan;
  return OK;
}

function choose(pass: Pass): Outcome {
  const { settings } = pass;
  const record = filled(pass.record);
  const places = [...filled(pass.scan).files.values()].flatMap(({ found }) => found.places);
  const targets = new Map();
  for (const [canonical, policy] of filled(pass.policies).images) {
    const current = places.filter(({ name }) => name === canonical).map(({ version }) => version);
    const announced = filled(pass.heard).get(canonical)?.all ?? [];
    const decision = decideSafely(pass, policy, announced, current, record.marks[canonical]);
    if (!decision) continue;
    const { target, mark, refused, held } = decision;
    for (const { version, why } of refused)
      tell(pass, policy.name, `${versionText(version)} is not used: it ${why}`);
    if (held)
      pass.telling.set(`held ${canonical} ${versionText(held)}`, () =>
        settings.emit({ type: "image.held", image: policy.name, version: versionText(held) }),
      );
    if (target) {
      const from = announced.find(
        (one) => one.tag === target.tag && (!target.digest || one.digest === target.digest),
      );
      targets.set(canonical, {
        policy,
        version: target,
        mark,
        announced: policy.pin === undefined ? from : undefined,
      });
    }
    if (policy.pin !== undefined) delete record.marks[canonical];
    else if (!target && mark) record.marks[canonical] = mark;
  }
  pass.targets = targets;
  return OK;
}

/** A pattern that takes for ever stops its own image only. */
function decideSafely(pass: Pass, ...what: Parameters<typeof decide>): ReturnType<typeof decide> | undefined {
  try {
    return decide(...what);
  } catch (error) {
    if (!isSluiceError(error, "JOB_INVALID")) throw error;
    tell(pass, what[0].name, error.message);
    return undefined;
  }
}

function tell({ telling, settings }: Pass, image: string, why: string): void {
  telling.set(`${image} ${why}`, () => settings.emit({ type: "image.refused", image, why }));
}
