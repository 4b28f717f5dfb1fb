import { readSentApp, type SentApp } from "../app/app-shape.ts";
import { complete, type Spec } from "../app/complete.ts";
import { canonical } from "../app/deprecated.ts";
import { checkApp } from "../app/validation.ts";
import { versioned } from "../app/versioning.ts";
import { absolutePath } from "../ids.ts";
import type { AppPatch, Change } from "../model.ts";
import { appNotFound, notValid, wrongShape } from "../refusal.ts";
import type { Api } from "./api.ts";
import { parseVersion } from "./apps-read.ts";

/** How a body is to be taken. */
export interface Writing {
  /** Fields that are absent keep their values. */
  partial: boolean;
  /** Whether an app that does not exist may be created. */
  creates: boolean;
}

/** Reads a body of one app. @throws Refusal */
export function readBody(api: Api, body: unknown): SentApp {
  return readSentApp(body, api.profile);
}

/** The id in a body. @throws Refusal when there is none. */
export function idOf(api: Api, sent: SentApp): string {
  if (sent.id !== undefined) return absolutePath(sent.id);
  const error = `'id' is undefined on object: ${JSON.stringify(sent)}`;
  throw wrongShape(api.profile.shapeErrorStatus, [{ path: "/id", errors: [error] }]);
}

/** A whole app with defaults, checked; ports to be assigned are 0 still. @throws Refusal */
export function wholeApp(api: Api, id: string, sent: SentApp): Spec {
  return checked(api, complete(id, canonical(sent), api.profile));
}

/** The change that a body means for an app as it is now. @throws Refusal */
export function changeOf(api: Api, id: string, sent: SentApp, writing: Writing, now: string): Change {
  const from = api.root.app(id);
  if (from?.pod) throw notValid([{ path: "/", errors: ["Applications and Pods may not share the same id"] }]);
  if (!from) {
    const spec = wholeApp(api, id, sent);
    if (!writing.creates) throw appNotFound(id);
    return { id, to: versioned(api.ports.assign(spec, undefined), undefined, now) };
  }
  const spec = writing.partial ? merged(api, from, sent) : replacement(api, id, sent);
  return { id, from, to: versioned(api.ports.assign(spec, from), from, now) };
}

function merged(api: Api, from: Spec, sent: SentApp): Spec {
  if (sent.version !== undefined) return storedVersion(api, from.id, sent);
  // As in Marathon, a partial update that does not mention these two loses them.
  const { executorResources: _, resourceLimits: __, ...kept } = withoutVersion(from);
  return checked(api, complete(from.id, { ...kept, ...canonical(sent) }, api.profile));
}

/** As in Marathon, a full replacement drops `executorResources`. */
function replacement(api: Api, id: string, sent: SentApp): Spec {
  const { executorResources: _, ...spec } = wholeApp(api, id, sent);
  return spec;
}

function storedVersion(api: Api, id: string, sent: SentApp): Spec {
  if (Object.keys(sent).some((key) => key !== "version" && key !== "id"))
    throw notValid([
      { path: "/", errors: ["The 'version' field may only be combined with the 'id' field."] },
    ]);
  const version = parseVersion(sent.version ?? "");
  const stored = api.store.version(id, version);
  if (!stored) throw appNotFound(id, version);
  return { ...withoutVersion(stored), id };
}

function withoutVersion(app: AppPatch & { version?: string; versionInfo?: unknown }): AppPatch & Spec {
  const { version: _, versionInfo: __, ...spec } = app;
  return spec as Spec;
}

function checked(api: Api, spec: Spec): Spec {
  checkApp(spec, api.profile);
  return spec;
}
