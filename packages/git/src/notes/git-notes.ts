import {
  backoffMs,
  type Clock,
  type CommitId,
  type CommitNotes,
  DEPLOYMENT_NOTES_REF,
  isSluiceError,
  type NoteText,
  type ObjectId,
  SluiceError,
} from "@sluice/core";
import { chooseProgram, chooseReader, chooseRemote } from "../choose.ts";
import { readCommit } from "../commits.ts";
import type { GitSourceOptions } from "../git-source.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import type { ObjectReader } from "../objects/object-reader.ts";
import { findGitDir } from "../refs/git-dir.ts";
import { readLocalRef } from "../refs/local-ref.ts";
import { remoteAddress } from "../remote/address.ts";
import { type TreeStore, treeStore } from "../trees/tree-store.ts";
import { moveRef } from "./move-ref.ts";
import { type NoteTree, noteTree } from "./note-tree.ts";
import { type PushOptions, pushRef } from "./push-ref.ts";
import { writeObject } from "./write-object.ts";

export interface GitNotesOptions extends Omit<GitSourceOptions, "branch" | "path" | "quarantine"> {
  /** Default: `refs/notes/deployments`. */
  readonly ref?: string;
  /** In whose name notes are written. Default: Sluice, without a mail address. */
  readonly who?: { readonly name: string; readonly email: string };
}

const TIMEOUT_MS = 60_000;
const ATTEMPTS = 12;
const BACKOFF = { firstMs: 50, mostMs: 5_000 };
const SLUICE = { name: "Sluice", email: "" };

/**
 * Notes of a deploy repo: a folder of this machine, or a repository elsewhere, to which they are pushed.
 * @throws as `gitSource`.
 */
export async function gitNotes(options: GitNotesOptions): Promise<CommitNotes> {
  const place = await openPlace(options);
  const { clock, random } = options;

  return {
    async read(commits, signal) {
      const tree = await treeAt(place, await place.head(signal), signal);
      const found = new Map<CommitId, string>();
      for (const commit of commits) {
        const text = await noteOf(place, tree, commit, signal).catch((error: unknown) => {
          if (isSluiceError(error, "FILE_TOO_LARGE")) return undefined;
          throw error;
        });
        if (text !== undefined) found.set(commit, text);
      }
      return found;
    },
    async append(texts, signal) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (attempt > 0) await clock.sleep(backoffMs(attempt - 1, BACKOFF, random), signal);
        signal?.throwIfAborted();
        const from = await place.head(signal);
        const to = await commitOn(place, from, texts, signal);
        if (!to || (await publish(place, { from, to }, signal))) return;
      }
      throw new SluiceError("GIT_FAILED", `others kept moving ${place.ref} while notes were to be added`, {
        hint: `Where nobody does, a program that died left the file ${place.ref}.lock in the repository: remove it.`,
      });
    },
    close: place.close,
  };
}

/** A repository with a ref for notes. */
interface Place {
  readonly ref: string;
  /** `Name <mail>`. */
  readonly who: string;
  readonly clock: Clock;
  readonly reader: ObjectReader;
  readonly store: TreeStore;
  /** Undefined: the repository is a folder of this machine. */
  readonly push: PushOptions | undefined;
  gitDir(): Promise<string>;
  head(signal?: AbortSignal): Promise<CommitId | undefined>;
  close(): Promise<void>;
}

async function openPlace(options: GitNotesOptions): Promise<Place> {
  const { ref = DEPLOYMENT_NOTES_REF, clock, access = {}, timeoutMs = TIMEOUT_MS } = options;
  const { name, email } = options.who ?? SLUICE;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  // Notes are a branch like any other but for the name of their ref.
  const source: GitSourceOptions = { ...options, branch: ref };
  const program = await chooseProgram(source);
  const remote = await chooseRemote(source, limits, ref, program);
  const address = remoteAddress(options.repository);
  const gitDir = remote ? remote.gitDir : () => findGitDir(options.repository);
  const reader = await chooseReader(source, limits, program, gitDir);
  return {
    ...{ ref, clock, reader, gitDir },
    who: `${name} <${email}>`,
    store: treeStore(reader, limits.maxFiles),
    push: address && { program, address, access, clock, timeoutMs, mostBytes: limits.maxFetchBytes },
    head: async (signal) => (remote ? remote.head(signal) : readLocalRef(await gitDir(), ref)),
    close: async () => {
      await Promise.all([reader.close(), remote?.close()]);
    },
  };
}

async function treeAt(
  { reader, store, gitDir }: Place,
  tip: CommitId | undefined,
  signal: AbortSignal | undefined,
): Promise<NoteTree> {
  const root = tip && (await readCommit(reader, tip, signal)).tree;
  return noteTree({ store, root, write: async (tree) => writeObject(await gitDir(), "tree", tree) });
}

async function noteOf(
  { reader }: Place,
  tree: NoteTree,
  commit: CommitId,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const blob = await tree.find(commit, signal);
  return blob && (await reader.read(blob, signal)).bytes.toString("utf8");
}

/** @returns the commit with the texts on top of `tip`; undefined where all of them are there. */
async function commitOn(
  place: Place,
  tip: CommitId | undefined,
  texts: readonly NoteText[],
  signal: AbortSignal | undefined,
): Promise<CommitId | undefined> {
  const gitDir = await place.gitDir();
  const tree = await treeAt(place, tip, signal);
  const blobs = new Map<CommitId, ObjectId>();
  for (const [commit, added] of byCommit(texts)) {
    const old = (await noteOf(place, tree, commit, signal)) ?? "";
    const text = added.reduce(appended, old);
    if (text !== old) blobs.set(commit, await writeObject(gitDir, "blob", Buffer.from(text)));
  }
  if (blobs.size === 0) return undefined;
  const root = await tree.with(blobs, signal);
  const who = `${place.who} ${Math.floor(place.clock.now() / 1_000)} +0000`;
  const parent = tip ? `parent ${tip}\n` : "";
  const about = blobs.size === 1 ? "a commit" : `${blobs.size} commits`;
  const text = `tree ${root}\n${parent}author ${who}\ncommitter ${who}\n\nNotes on ${about}\n`;
  return (await writeObject(gitDir, "commit", Buffer.from(text))) as string as CommitId;
}

/** False: others were faster. */
async function publish(
  { push, ref, gitDir, head }: Place,
  { from, to }: { readonly from: CommitId | undefined; readonly to: CommitId },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (!push) return moveRef(await gitDir(), ref, { from, to });
  try {
    await pushRef(push, { gitDir: await gitDir(), ref, commit: to }, signal);
    return true;
  } catch (error) {
    if (!isSluiceError(error, "GIT_FAILED") || signal?.aborted) throw error;
    // Whether it is a race is asked for, not read from the words of a server.
    const now = await head(signal);
    if (now === to) return true;
    if (now === from) throw error;
    return false;
  }
}

function byCommit(texts: readonly NoteText[]): Map<CommitId, string[]> {
  const found = new Map<CommitId, string[]>();
  for (const { commit, text } of texts) found.set(commit, [...(found.get(commit) ?? []), text]);
  return found;
}

/** Whole lines under whole lines; what is there already is not said again. */
function appended(note: string, text: string): string {
  const whole = note === "" || note.endsWith("\n") ? note : `${note}\n`;
  return `\n${whole}`.includes(`\n${text}`) ? note : whole + text;
}
