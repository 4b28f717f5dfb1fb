import { type Clock, type Json, type JsonObject, SluiceError } from "@sluice/core";
import { listIn, objectIn, objectsIn, textIn } from "../format/reading.ts";
import type { HttpConnection } from "../http/connection.ts";
import { strangeAnswer } from "../http/failure.ts";
import { marathonFailure } from "./failure.ts";

/** `1.8.0`, taken apart. */
export interface MarathonVersion {
  readonly text: string;
  readonly minor: number;
}

/** An upgrade is noticed after this long. */
const KEPT_MS = 600_000;

/** Asks `/v2/info` now and then. @throws SCHEDULER_INVALID for a Marathon that cannot replace an app. */
export function versionReader(http: HttpConnection, clock: Clock) {
  let known: { readonly version: MarathonVersion; readonly until: number } | undefined;
  return async (signal?: AbortSignal): Promise<MarathonVersion> => {
    if (known && clock.now() < known.until) return known.version;
    const answer = await http({ method: "GET", path: "/v2/info", signal });
    if (answer.status !== 200) throw marathonFailure(answer);
    const version = parsed(textIn(objectIn(answer.json)?.version) ?? "");
    known = { version, until: clock.now() + KEPT_MS };
    return version;
  };
}

function parsed(text: string): MarathonVersion {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(text) ?? [];
  if (major === undefined) throw strangeAnswer("Marathon", "GET /v2/info");
  // Before 1.4 every PUT is a patch, so that a key removed in Git would stay (reference 1.0).
  if (Number(major) < 1 || (Number(major) === 1 && Number(minor) < 4))
    throw new SluiceError(
      "SCHEDULER_INVALID",
      `Marathon ${text} is too old to be managed: 1.4 or newer is needed`,
    );
  return { text, minor: Number(major) > 1 ? Number.POSITIVE_INFINITY : Number(minor) };
}

/** Since which minor version of Marathon 1 a field is known (reference 1.4.1 and 1.4.4). */
const SINCE: readonly (readonly [minor: number, field: string, given: (spec: JsonObject) => boolean])[] = [
  [5, "networks", (spec) => isAppWith(spec, "networks") && asksNetwork(spec.networks)],
  [5, "container.portMappings", ({ container }) => objectIn(container)?.portMappings !== undefined],
  [5, "tty", (spec) => isAppWith(spec, "tty")],
  [5, "healthChecks.delaySeconds", ({ healthChecks }) => asks(healthChecks, "delaySeconds", 15)],
  [6, "executorResources", (spec) => isAppWith(spec, "executorResources")],
  [6, "healthChecks.ipProtocol", ({ healthChecks }) => asks(healthChecks, "ipProtocol", "IPv4")],
  [6, "the constraint IS", ({ constraints }) => listIn(constraints).some((one) => listIn(one)[1] === "IS")],
  [8, "check", ({ check }) => check !== undefined],
  [9, "role", ({ role }) => role !== undefined],
  [10, "resourceLimits", ({ resourceLimits }) => resourceLimits !== undefined],
];

/**
 * Refuses a spec with fields that this Marathon does not know: it would drop them without a word, and run the job on another
 * network than it should, say.
 * @throws SCHEDULER_INVALID naming them all.
 */
export function refuseUnknownFields(spec: JsonObject, { minor, text }: MarathonVersion): void {
  const unknown = SINCE.filter(([since, , given]) => minor < since && given(spec));
  if (unknown.length === 0) return;
  const words = unknown.map(([since, field]) => `${field} (1.${since} and newer)`).join(", ");
  throw new SluiceError("SCHEDULER_INVALID", `Marathon ${text} does not know ${words}`);
}

function isAppWith(spec: JsonObject, field: string): boolean {
  return spec.containers === undefined && spec[field] !== undefined;
}

/** Host networking is what older versions do unasked. */
function asksNetwork(networks: Json | undefined): boolean {
  return objectsIn(networks).some(([, one]) => one.mode !== "host");
}

/** Whether a check says something else than what is done unasked. */
function asks(checks: Json | undefined, field: string, standard: Json): boolean {
  return objectsIn(checks).some(([, check]) => check[field] !== undefined && check[field] !== standard);
}
