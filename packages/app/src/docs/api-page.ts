import { OPERATIONS } from "../http/openapi/operations.ts";

/** The page of every route, from the table the OpenAPI document is made of. */
export function apiPage(): string {
  const rows = OPERATIONS.map(({ method, path, summary }) => {
    const shown = path.replace(/:(\w+)/g, "{$1}");
    return `| \`${method} ${shown}\` | ${summary} |`;
  });
  return [
    "# The HTTP API",
    "",
    "An engine with the role `http` answers at `http.host`:`http.port`. [openapi.json](openapi.json), which it also serves at",
    "`/api/v1/openapi.json`, describes parameters, bodies and answers. Where `http.tokenFile` is set, every request but health checks and",
    "webhooks bears the token: `Authorization: Bearer …`. A failure is `{code, message, hint}` with a code of [errors.md](errors.md).",
    "",
    "| route | what it is for |",
    "|---|---|",
    ...rows,
    "",
    "Git itself is spoken at `/deploy.git/`, where this engine keeps the deploy repo.",
    "",
    "## Following events",
    "",
    "`GET /events?environment=NAME` streams what the environment's logs in the KV say, whichever process wrote it, as server-sent events. The",
    "`id` of an event is a cursor: a reader that comes back with it, as `Last-Event-ID` or `?after=`, misses nothing and is told nothing twice.",
    "Where more came than the logs keep, an event of the type `gap` says how many. Without `environment` the stream is everything that this",
    "very process does, from now on, without ids.",
    "",
  ].join("\n");
}
