import { fingerprintOf, type JsonObject } from "@sluice/core";
import { objectIn, textIn, without } from "../format/reading.ts";

/** The label that marks Sluice's services, configs, secrets and networks. A service's own labels restart none of its tasks. */
export const MARK_LABEL = "sluice/owner";
/** The fingerprint of the spec a service was last written with, for people and for programs that look on. */
export const SPEC_LABEL = "sluice/spec";

/** @param spec a service's spec, or a config's, a secret's or a network's. */
export function markOf(spec: JsonObject): string | undefined {
  return textIn(objectIn(spec.Labels)?.[MARK_LABEL]);
}

export function withMark(spec: JsonObject, mark: string): JsonObject {
  const plain = withoutMark(spec);
  const labels = { [MARK_LABEL]: mark, [SPEC_LABEL]: fingerprintOf(plain) };
  return { ...plain, Labels: { ...objectIn(plain.Labels), ...labels } };
}

export function withoutMark(spec: JsonObject): JsonObject {
  const labels = objectIn(spec.Labels);
  return labels ? { ...spec, Labels: without(labels, MARK_LABEL, SPEC_LABEL) } : spec;
}
