import { vi } from "vitest";
import {
  type Answer,
  type Fault,
  keyAnswer,
  type ScriptedConsul,
  type Seen,
  scriptedConsul,
} from "./scripted-consul.ts";

type Reaction = (request: Seen) => Answer | Fault | Promise<Answer | Fault>;

/** What the server does; everything not given goes well, with the session "s" and the key held by it. */
export interface LockScript {
  /** The question how many operations a transaction may have. */
  limits?: Reaction;
  create?: Reaction;
  renew?: Reaction;
  acquire?: Reaction;
  destroy?: Reaction;
  /** The key, asked without an index or with one. */
  read?: Reaction;
}

export interface ScriptedLocks extends ScriptedConsul {
  /** Requests so far whose name holds this text. */
  count(part: string): number;
  /** Waits until that many were made. */
  asked(part: string, times: number): Promise<void>;
}

/** The key "lock" as that session holds it. */
export const heldBy = (session: string, index = 5): Answer =>
  keyAnswer("lock", "me", index, { Session: session });

const OLD_LIMITS = { status: 413, body: "Transaction contains too many operations (129 > 64)" };

/** A server with sessions and one lock. */
export async function scriptedLocks(script: LockScript): Promise<ScriptedLocks> {
  const server = await scriptedConsul((request) => {
    const { path, query } = request;
    if (path === "/txn") return script.limits?.(request) ?? OLD_LIMITS;
    if (path === "/session/create") return script.create?.(request) ?? { body: { ID: "s" } };
    if (path.startsWith("/session/renew/")) return script.renew?.(request) ?? { body: [{ TTL: "10s" }] };
    if (path.startsWith("/session/destroy/")) return script.destroy?.(request) ?? { body: true };
    if (query.acquire) return script.acquire?.(request) ?? { body: true };
    if (query.release) return { body: true };
    return script.read?.(request) ?? (query.index ? "hang" : heldBy("s"));
  });
  const count = (part: string) => server.seen.filter((one) => nameOf(one).includes(part)).length;
  return {
    ...server,
    count,
    asked: (part, times) =>
      vi.waitFor(() => {
        if (count(part) !== times) throw new Error(`"${part}" was asked ${count(part)} times`);
      }),
  };
}

/** `METHOD /path names,of,parameters`. */
export function nameOf({ method, path, query }: Seen): string {
  return `${method} ${path} ${Object.keys(query).join(",")}`.trim();
}
