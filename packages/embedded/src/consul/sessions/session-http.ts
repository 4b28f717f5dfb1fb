import { parseDuration } from "../duration.ts";
import { type Answer, ConsulError, json } from "../http/answer.ts";
import { decodeObject, type Fields, fieldsOf, objects, text, texts } from "../http/go-json.ts";
import { answerRead, type ReadContext } from "../http/reads.ts";
import { checkCommonOptions, type Request } from "../http/request.ts";
import type { Route } from "../http/router.ts";
import type { Store } from "../store/store.ts";
import type { SessionTimers } from "./session-timers.ts";
import {
  DEFAULT_CHECKS,
  getSession,
  listSessions,
  type NewSession,
  SESSIONS_TOPIC,
  type Session,
  type Sessions,
  sessionsIndex,
} from "./sessions.ts";

export interface SessionContext extends ReadContext {
  store: Store;
  sessions: Sessions;
  timers: SessionTimers;
  /** The agent's node, to which a session belongs that names none. */
  nodeName: string;
}

const DEFAULT_LOCK_DELAY = 15e9;
/** Consul reads smaller numbers as seconds, because clients forget that Go counts in nanoseconds. */
const SECONDS_BELOW = 1000;
const SHORTEST_TTL = 10e9;
const LONGEST_TTL = 86_400e9;

export function sessionRoutes(context: SessionContext): Route[] {
  return [
    { path: "/v1/session/create", methods: { PUT: (request) => create(request, context) } },
    { path: "/v1/session/destroy/", methods: { PUT: (request) => destroy(request, context) } },
    { path: "/v1/session/renew/", methods: { PUT: (request) => renew(request, context) } },
    { path: "/v1/session/info/", methods: { GET: (request) => info(request, context) } },
    { path: "/v1/session/list", methods: { GET: (request) => list(request, context, () => true) } },
    { path: "/v1/session/node/", methods: { GET: (request) => ofNode(request, context) } },
  ];
}

async function create(request: Request, context: SessionContext): Promise<Answer> {
  checkCommonOptions(request);
  const wanted = newSession(decodeObject(request.body, { optional: true }), context.nodeName);
  const session = await context.store.write((tx) => context.sessions.create(tx, wanted));
  return json({ ID: session.ID });
}

function newSession(fields: Fields, nodeName: string): NewSession {
  const behavior = text(fields, "Behavior") || "release";
  if (behavior !== "release" && behavior !== "delete") {
    throw new ConsulError(500, `Invalid Behavior setting '${behavior}'`);
  }
  const services = objects(fields, "ServiceChecks").map((one) => ({
    ID: text(fieldsOf(one) ?? new Map(), "ID"),
  }));
  return {
    Name: text(fields, "Name"),
    Node: text(fields, "Node") || nodeName,
    LockDelay: lockDelay(fields.get("lockdelay") ?? undefined),
    Behavior: behavior,
    TTL: ttl(text(fields, "TTL")),
    NodeChecks: texts(fields, "NodeChecks") ?? texts(fields, "Checks") ?? DEFAULT_CHECKS,
    ServiceChecks: services.length > 0 ? services : null,
  };
}

function lockDelay(value: unknown): number {
  if (value === undefined) return DEFAULT_LOCK_DELAY;
  if (typeof value === "number") return value < SECONDS_BELOW ? value * 1e9 : value;
  const parsed = parseDuration(String(value));
  if (parsed !== undefined) return parsed;
  throw new ConsulError(400, `Request decode failed: time: invalid duration ${JSON.stringify(value)}`);
}

function ttl(value: string): string {
  if (value === "") return value;
  const parsed = parseDuration(value);
  if (parsed === undefined) {
    throw new ConsulError(
      500,
      `Session TTL '${value}' invalid: time: invalid duration ${JSON.stringify(value)}`,
    );
  }
  if (parsed !== 0 && (parsed < SHORTEST_TTL || parsed > LONGEST_TTL)) {
    throw new ConsulError(500, `Invalid Session TTL '${parsed}', must be between [10s=24h0m0s]`);
  }
  return value;
}

async function destroy(request: Request, { store, sessions }: SessionContext): Promise<Answer> {
  const id = sessionId(request);
  checkCommonOptions(request);
  await store.write((tx) => sessions.destroy(tx, id));
  return json(true);
}

function renew(request: Request, { read, timers }: SessionContext): Answer {
  const id = sessionId(request);
  checkCommonOptions(request);
  const session = getSession(read, id);
  if (!session) throw new ConsulError(404, `Session id '${id}' not found`);
  timers.start(session);
  return json([session]);
}

function info(request: Request, context: SessionContext): Answer | Promise<Answer> {
  const id = sessionId(request);
  const run = () => {
    const session = getSession(context.read, id);
    return { index: sessionsIndex(context.read), value: session ? [session] : [] };
  };
  return answerRead(request, context, {
    query: { run, topics: [SESSIONS_TOPIC] },
    render: (found) => json(found),
  });
}

function ofNode(request: Request, context: SessionContext): Answer | Promise<Answer> {
  if (request.rest === "") throw new ConsulError(400, "Missing node name");
  return list(request, context, ({ Node }) => Node === request.rest);
}

function list(
  request: Request,
  context: SessionContext,
  wanted: (session: Session) => boolean,
): Answer | Promise<Answer> {
  const run = () => ({
    index: sessionsIndex(context.read),
    value: listSessions(context.read).filter(wanted),
  });
  return answerRead(request, context, {
    query: { run, topics: [SESSIONS_TOPIC] },
    render: (found) => json(found),
  });
}

function sessionId({ rest }: Request): string {
  if (rest === "") throw new ConsulError(400, "Missing session");
  return rest;
}
