import type { IncomingMessage, ServerResponse } from "node:http";
import { Refusal } from "../refusal.ts";
import type { Api } from "./api.ts";

export interface ApiRequest {
  /** The parts of the path that the route's pattern caught. */
  params: string[];
  query: URLSearchParams;
  /** Path and query as sent. */
  url: string;
  clientIp: string;
  raw: IncomingMessage;
  /** The body. @throws Refusal 415 for another type, 400 for none or for text that is no JSON. */
  json(): Promise<unknown>;
}

/** What a route answers: JSON, or whatever `stream` writes. */
export interface Answer {
  status: number;
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
  stream?: (response: ServerResponse) => Promise<void>;
}

export interface Route {
  method: string;
  pattern: RegExp;
  answer(request: ApiRequest, api: Api): Answer | Promise<Answer>;
}

export function route(method: string, pattern: RegExp, answer: Route["answer"]): Route {
  return { method, pattern, answer };
}

/** The first route that fits; a path that only other methods have is refused with 405. */
export function findRoute(routes: readonly Route[], method: string, path: string, api: Api) {
  const fitting = routes.filter(({ pattern }) => pattern.test(path));
  for (const one of fitting) {
    if (one.method !== method) continue;
    const params = (one.pattern.exec(path)?.slice(1) ?? []).map((part) => part ?? "");
    return { route: one, params };
  }
  if (fitting.length > 0) throw new Refusal(405, { message: "Method Not Allowed" });
  const { status, message } = api.profile.unknownRoute;
  throw new Refusal(status, { message: message.replace("%s", path) });
}

/** Reads a flag of the query as Jersey does: only `true` is true. */
export function flag(request: ApiRequest, name: string, absent: boolean): boolean {
  const value = request.query.get(name);
  return value === null ? absent : value.toLowerCase() === "true";
}
