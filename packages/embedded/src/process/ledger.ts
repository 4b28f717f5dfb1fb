import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processIdentity } from "./process-table.ts";

/** One process group we started, as kept on disk. */
export interface LedgerEntry {
  /** Pid of the first process and id of its group. */
  pid: number;
  /** See `processIdentity`. Empty when the process was gone before it could be read. */
  identity: string;
  /** Value of the environment variable that marks every process of the group. */
  mark: string;
  /** The engine that started it. */
  ownerPid: number;
  ownerIdentity: string;
}

/** Files, one per running process group, from which the next engine learns what a killed one left running. */
export interface Ledger {
  add(entry: Omit<LedgerEntry, "ownerPid" | "ownerIdentity">): void;
  remove(pid: number): void;
  /** Entries whose engine runs no more. */
  orphans(): LedgerEntry[];
}

/** @throws when `folder` cannot be created. */
export function ledger(folder: string): Ledger {
  const ownerPid = process.pid;
  const ownerIdentity = processIdentity(ownerPid) ?? "";
  mkdirSync(folder, { recursive: true });

  return {
    // Synchronous, so that an engine killed right after a launch has already written it down.
    add: (entry) =>
      writeFileSync(fileOf(folder, entry.pid), JSON.stringify({ ...entry, ownerPid, ownerIdentity })),
    remove: (pid) => rmSync(fileOf(folder, pid), { force: true }),
    orphans: () =>
      readdirSync(folder)
        .flatMap((name) => read(join(folder, name)))
        .filter((entry) => processIdentity(entry.ownerPid) !== entry.ownerIdentity),
  };
}

function fileOf(folder: string, pid: number): string {
  return join(folder, `${pid}.json`);
}

/** A file cut short by a full disk names no process for certain, so it is dropped. */
function read(file: string): LedgerEntry[] {
  try {
    const entry = JSON.parse(readFileSync(file, "utf8")) as LedgerEntry;
    return Number.isInteger(entry.pid) && entry.pid > 1 ? [entry] : [];
  } catch {
    rmSync(file, { force: true });
    return [];
  }
}
