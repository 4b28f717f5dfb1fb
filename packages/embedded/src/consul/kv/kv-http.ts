import { type Answer, ConsulError, json } from "../http/answer.ts";
import { answerRead, type ReadContext } from "../http/reads.ts";
import { checkCommonOptions, type Request, unsigned } from "../http/request.ts";
import type { Route } from "../http/router.ts";
import { getSession, type Sessions } from "../sessions/sessions.ts";
import type { Store } from "../store/store.ts";
import type { Transaction } from "../store/transaction.ts";
import type { Query } from "../watch/blocking.ts";
import { keyTopic, prefixTopic } from "../watch/watchers.ts";
import { getRecord, type Kv, type KvContent, kvIndex, listKeys } from "./kv.ts";
import type { ListIndexes } from "./list-indexes.ts";
import { decodeRecord, type KvRecord, recordJson } from "./record.ts";

export interface KvContext extends ReadContext {
  store: Store;
  kv: Kv;
  sessions: Sessions;
  lists: ListIndexes;
}

/** Consul's `kv_max_value_size`. */
const LONGEST_VALUE = 512 * 1024;

export function kvRoutes(context: KvContext): Route[] {
  return [
    {
      path: "/v1/kv/",
      bodyLimit: { bytes: LONGEST_VALUE, option: "kv_max_value_size" },
      methods: {
        GET: (request) => get(request, context),
        PUT: (request) => put(request, context),
        DELETE: (request) => remove(request, context),
      },
    },
  ];
}

function get(request: Request, context: KvContext): Answer | Promise<Answer> {
  const { query, rest } = request;
  if (query.has("keys")) return keys(request, context);
  if (query.has("recurse")) return tree(request, context);
  requireKey(request);
  const find = () => {
    const record = getRecord(context.read, rest);
    return { index: record?.modifyIndex ?? kvIndex(context.read), value: record };
  };
  const render = (record: KvRecord | undefined) => {
    if (!record) return { status: 404 };
    return query.has("raw") ? raw(record) : { status: 200, body: `[${recordJson(rest, record)}]` };
  };
  return answerRead(request, context, { query: { run: find, topics: [keyTopic(rest)] }, render });
}

function raw({ value }: KvRecord): Answer {
  const headers = { "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox" };
  return { status: 200, body: value, type: "text/plain", headers };
}

function tree(request: Request, context: KvContext): Answer | Promise<Answer> {
  const pick = (key: string, encoded: Buffer) => recordJson(key, decodeRecord(encoded));
  const render = (found: string[]) =>
    found.length === 0 ? { status: 404 } : { status: 200, body: `[${found.join(",")}]` };
  return answerRead(request, context, { query: listQuery(request.rest, context, pick), render });
}

function keys(request: Request, context: KvContext): Answer | Promise<Answer> {
  const { rest, query } = request;
  const separator = query.get("separator") ?? "";
  const render = (found: string[]) =>
    found.length === 0 && rest !== "" ? { status: 404 } : json(folded(found, rest, separator));
  return answerRead(request, context, { query: listQuery(rest, context, (key) => key), render });
}

function listQuery(
  prefix: string,
  { read, lists }: KvContext,
  pick: (key: string, encoded: Buffer) => string,
): Query<string[]> {
  return {
    topics: [prefixTopic(prefix)],
    knownIndex: () => lists.known(prefix),
    run() {
      const { index, found } = listKeys(read, prefix, pick);
      // The index of an empty list is that of the whole table, which moves without a change under the prefix.
      if (found.length > 0 && prefix !== "") lists.remember(prefix, index);
      return { index, value: found };
    },
  };
}

/** Cuts keys after the first separator beyond the prefix, each once. */
function folded(found: string[], prefix: string, separator: string): string[] {
  if (separator === "") return found;
  const cut = found.map((key) => {
    const at = key.indexOf(separator, prefix.length);
    return at < 0 ? key : key.slice(0, at + separator.length);
  });
  return cut.filter((key, at) => key !== cut[at - 1]);
}

async function put(request: Request, context: KvContext): Promise<Answer> {
  const { query, rest } = request;
  requireKey(request);
  checkCommonOptions(request);
  refuseConflict(query, ["acquire", "cas", "release"]);
  const flags = query.has("flags") ? unsigned(query, "flags") : 0n;
  const content = { value: request.body, flags };
  const change = changeOf(rest, content, query, context);
  return json(await context.store.write(change));
}

function changeOf(
  key: string,
  content: KvContent,
  query: URLSearchParams,
  { kv, sessions }: KvContext,
): (tx: Transaction) => boolean {
  if (query.has("cas")) {
    const index = Number(unsigned(query, "cas"));
    return (tx) => kv.compareAndSet(tx, key, content, index) !== undefined;
  }
  if (query.has("acquire")) {
    const session = requireSession(query.get("acquire"));
    return (tx) => {
      if (sessions.isDelayed(key)) return false;
      requireLiving(tx, session);
      return kv.lock(tx, key, content, session) !== undefined;
    };
  }
  if (query.has("release")) {
    const session = requireSession(query.get("release"));
    return (tx) => kv.unlock(tx, key, content, session) !== undefined;
  }
  return (tx) => {
    kv.set(tx, key, content);
    return true;
  };
}

/** @throws ConsulError (500) when there is no such session. */
export function requireLiving(tx: Transaction, session: string): void {
  if (!getSession(tx, session)) throw new ConsulError(500, `invalid session ${JSON.stringify(session)}`);
}

function requireSession(session: string | null): string {
  if (!session) throw new ConsulError(500, "missing session");
  return session;
}

async function remove(request: Request, { store, kv }: KvContext): Promise<Answer> {
  const { query, rest } = request;
  checkCommonOptions(request);
  if (!query.has("recurse")) requireKey(request);
  refuseConflict(query, ["cas", "recurse"]);
  const index = query.has("cas") ? Number(unsigned(query, "cas")) : undefined;
  return json(
    await store.write((tx) => {
      if (index !== undefined) return kv.compareAndRemove(tx, rest, index);
      if (query.has("recurse")) kv.removeTree(tx, rest);
      else kv.remove(tx, rest);
      return true;
    }),
  );
}

function requireKey({ rest }: Request): void {
  if (rest === "") throw new ConsulError(400, "Missing key name");
}

function refuseConflict(query: URLSearchParams, exclusive: string[]): void {
  const given = exclusive.filter((name) => query.has(name));
  if (given.length < 2) return;
  const shown = given.map((name) => `${name}=${query.get(name)}`).join("&");
  throw new ConsulError(400, `Conflicting flags: ${shown}`);
}
