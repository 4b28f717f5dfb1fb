import { randomUUID } from "node:crypto";
import type { Clock } from "@sluice/core";
import { getCheck, getNode, SERF_HEALTH } from "../catalog/reads.ts";
import { ConsulError } from "../http/answer.ts";
import { getRecord, heldBy, type Kv } from "../kv/kv.ts";
import { setTableIndex, tableIndex } from "../store/store.ts";
import type { Reader, Transaction } from "../store/transaction.ts";
import type { Watchers } from "../watch/watchers.ts";

/** A session in Consul's own JSON form; `LockDelay` is in nanoseconds, `TTL` a Go duration or "". */
export interface Session {
  ID: string;
  Name: string;
  Node: string;
  LockDelay: number;
  Behavior: "release" | "delete";
  TTL: string;
  NodeChecks: string[];
  ServiceChecks: { ID: string }[] | null;
  CreateIndex: number;
  ModifyIndex: number;
}

export type NewSession = Omit<Session, "ID" | "CreateIndex" | "ModifyIndex">;

export interface Sessions {
  /** @throws ConsulError (500) when its node or one of its checks is not there, or a check is critical. */
  create(tx: Transaction, wanted: NewSession): Session;
  /** Ends a session; what it locked is released or deleted, and may not be locked again before its lock delay. */
  destroy(tx: Transaction, id: string): void;
  /** Ends every session for which `lost` holds, for example because its check turned critical. */
  destroyWhere(tx: Transaction, lost: (session: Session) => boolean): void;
  /** Whether the key's lock delay is still running. */
  isDelayed(key: string): boolean;
}

/** What is told when sessions come and go, after the commit. */
export interface SessionListener {
  created(session: Session): void;
  destroyed(id: string): void;
}

export const SESSIONS_TOPIC = "sessions";

/** @throws ConsulError (500), in Consul's words, when the id cannot be one. */
export function getSession(read: Reader, id: string): Session | undefined {
  if (id.length !== 36) {
    throw new ConsulError(500, "failed session lookup: index error: UUID must be 36 characters");
  }
  const found = read.get("sessions", id);
  return found && (JSON.parse(found.toString()) as Session);
}

export function listSessions(read: Reader): Session[] {
  return [...read.range("sessions", "")].map(({ value }) => JSON.parse(value.toString()) as Session);
}

export function sessionsIndex(read: Reader): number {
  return Math.max(1, tableIndex(read, "sessions"));
}

export function sessions(
  kv: Kv,
  watchers: Watchers,
  { clock, listener }: { clock: Clock; listener: SessionListener },
): Sessions {
  /** Key → time (ms) until which nobody may lock it. Like Consul's, it does not outlive the server. */
  const delays = new Map<string, number>();

  function delay(key: string, ms: number) {
    for (const [old, until] of delays) if (until <= clock.now()) delays.delete(old);
    delays.set(key, clock.now() + ms);
  }

  function changed(tx: Transaction) {
    setTableIndex(tx, "sessions", tx.index());
    tx.afterCommit(() => watchers.changed(SESSIONS_TOPIC));
  }

  function destroy(tx: Transaction, id: string) {
    const session = getSession(tx, id);
    if (!session) return;
    tx.remove("sessions", id);
    changed(tx);
    tx.afterCommit(() => listener.destroyed(id));
    for (const { key: held } of [...tx.range("locks", heldBy(id))]) {
      const key = held.slice(heldBy(id).length);
      if (getRecord(tx, key)?.session !== id) continue;
      if (session.Behavior === "delete") kv.remove(tx, key);
      else kv.release(tx, key);
      // At once, not after the commit: the next write may share it and must already find the key delayed.
      if (session.LockDelay > 0) delay(key, session.LockDelay / 1e6);
    }
  }

  return {
    destroy,
    create(tx, wanted) {
      requireChecks(tx, wanted);
      const index = tx.index();
      const session = { ID: randomUUID(), ...wanted, CreateIndex: index, ModifyIndex: index };
      tx.put("sessions", session.ID, Buffer.from(JSON.stringify(session)));
      changed(tx);
      tx.afterCommit(() => listener.created(session));
      return session;
    },
    destroyWhere(tx, lost) {
      for (const session of listSessions(tx)) if (lost(session)) destroy(tx, session.ID);
    },
    isDelayed: (key) => (delays.get(key) ?? 0) > clock.now(),
  };
}

function requireChecks(read: Reader, { Node, NodeChecks, ServiceChecks }: NewSession): void {
  if (!getNode(read, Node)) throw new ConsulError(500, "Missing node registration");
  for (const id of [...NodeChecks, ...(ServiceChecks ?? []).map(({ ID }) => ID)]) {
    const check = getCheck(read, Node, id);
    if (!check) throw new ConsulError(500, `Missing check '${id}' registration`);
    if (check.Status === "critical") throw new ConsulError(500, `Check '${id}' is in critical state`);
  }
}

/** The checks a session gets when it names none. */
export const DEFAULT_CHECKS = [SERF_HEALTH];
