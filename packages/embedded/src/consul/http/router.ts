import { type Answer, ConsulError } from "./answer.ts";
import type { Request } from "./request.ts";

export type Handler = (request: Request) => Answer | Promise<Answer>;

/** One path of the API. A path that ends in `/` takes everything below it, as in Go's mux. */
export interface Route {
  path: string;
  methods: Partial<Record<"GET" | "PUT" | "DELETE", Handler>>;
  /** Longest body in bytes; beyond it the answer is 413. */
  bodyLimit?: { bytes: number; option: string };
}

export interface Match {
  route: Route;
  rest: string;
}

export interface Router {
  /** @param path decoded. The longest matching route wins. */
  match(path: string): Match | undefined;
}

export function router(routes: readonly Route[]): Router {
  const byPath = new Map(routes.map((route) => [route.path, route]));
  return {
    match(path) {
      const exact = byPath.get(path);
      if (exact) return { route: exact, rest: "" };
      for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
        const route = byPath.get(path.slice(0, cut + 1));
        if (route) return { route, rest: path.slice(cut + 1) };
      }
      return undefined;
    },
  };
}

/** @throws ConsulError (405) with the methods that are allowed. */
export function handlerOf(route: Route, method: string): Handler {
  const allow = ["OPTIONS", ...["GET", "PUT", "DELETE"].filter((one) => one in route.methods)].join(",");
  if (method === "OPTIONS") return () => ({ status: 200, headers: { Allow: allow } });
  const handler = isMethod(method) ? route.methods[method] : undefined;
  if (!handler) throw new ConsulError(405, `method ${method} not allowed`, { Allow: allow });
  return handler;
}

function isMethod(method: string): method is "GET" | "PUT" | "DELETE" {
  return method === "GET" || method === "PUT" || method === "DELETE";
}
