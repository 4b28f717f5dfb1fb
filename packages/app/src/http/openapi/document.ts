import { z } from "zod";
import { failure } from "./answers.ts";
import type { Operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";

/** The server's routes as OpenAPI 3.1 has them. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of OPERATIONS) {
    const path = operation.path.replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: describe(operation) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sluice",
      version: "1",
      description:
        "What an engine knows and can be asked for. With `http.tokenFile` every request but health checks and webhooks bears a token.",
    },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    security: [{ token: [] }],
    paths,
  };
}

function describe({ id, summary, path, query = {}, body, answer, content, status = 200 }: Operation): object {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    ...{ name, in: "path", required: true },
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query).map(([name, description]) => ({
    ...{ name: name.replace("!", ""), in: "query", required: name.endsWith("!"), description },
    schema: { type: "string" },
  }));
  const success = answer
    ? json(answer, "output")
    : { [content ?? "text/plain"]: { schema: { type: "string" } } };
  return {
    operationId: id,
    summary,
    ...(inPath.length + inQuery.length > 0 ? { parameters: [...inPath, ...inQuery] } : {}),
    ...(body ? { requestBody: { content: json(body, "input") } } : {}),
    responses: {
      [status]: { description: "Done.", content: success },
      default: { description: "Not done, and why.", content: json(failure, "output") },
    },
  };
}

function json(schema: z.ZodType, io: "input" | "output") {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return { "application/json": { schema: described } };
}
