/** One violated place of a document; `path` looks like `/portDefinitions(0)/name`. */
export interface Violation {
  path: string;
  errors: string[];
}

/** An answer that is an error: its status and JSON body are the whole of it. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Record<string, unknown>;

  constructor(status: number, body: { message: string } & Record<string, unknown>) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/** 422: the document is well formed but breaks rules. */
export function notValid(details: Violation[]): Refusal {
  return new Refusal(422, { message: "Object is not valid", details: merged(details) });
}

/** The document has the wrong types, limits or patterns. */
export function wrongShape(status: number, details: Violation[]): Refusal {
  return new Refusal(status, { message: "Invalid JSON", details: merged(details) });
}

export function appNotFound(id: string, version?: string): Refusal {
  const where = version ? ` in version ${version}` : "";
  return new Refusal(404, { message: `App '${id}' does not exist${where}` });
}

/** One entry per distinct path, as Marathon answers. */
function merged(violations: Violation[]): Violation[] {
  const byPath = new Map<string, string[]>();
  for (const { path, errors } of violations) byPath.set(path, [...(byPath.get(path) ?? []), ...errors]);
  return [...byPath].map(([path, errors]) => ({ path, errors }));
}
