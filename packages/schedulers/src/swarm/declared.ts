import { createHash } from "node:crypto";
import type { Json, JsonObject } from "@sluice/core";
import type { Complaint } from "../format/complaint.ts";
import { objectIn, textIn } from "../format/reading.ts";

/** What a file declares of its configs or secrets: by the name in the file, the name in the swarm and what to make. */
export interface Declared {
  readonly name: string;
  /** Undefined: it is made by others. */
  readonly material: JsonObject | undefined;
}

/** Docker's limit of a name is 64, and the hash takes 9. */
const LONGEST_BASE = 55;

/**
 * Configs and secrets cannot change in Docker, so a content is kept under a name that holds its hash, and another content is
 * another config.
 * @param prefix of a stack: `shop_`.
 */
export function declaredIn(block: Json | undefined, prefix: string): ReadonlyMap<string, Declared> {
  return new Map(
    Object.entries(objectIn(block) ?? {}).map(([key, value]): [string, Declared] => {
      const given = objectIn(value) ?? {};
      const content = textIn(given.content);
      const base = textIn(given.name) ?? (isExternal(given) ? key : `${prefix}${key}`);
      if (content === undefined) return [key, { name: base, material: undefined }];
      const hash = createHash("sha256").update(content).digest("hex").slice(0, 8);
      const Labels = objectIn(given.labels);
      const material = { base, Data: Buffer.from(content).toString("base64"), ...(Labels ? { Labels } : {}) };
      return [key, { name: `${base}-${hash}`, material }];
    }),
  );
}

export function isExternal(given: JsonObject): boolean {
  return given.external === true || objectIn(given.external) !== undefined;
}

/** What is wrong with the configs or secrets a file declares. */
export function declarationRules(
  kind: "configs" | "secrets",
  block: Json | undefined,
  prefix: string,
): Complaint[] {
  return Object.entries(objectIn(block) ?? {}).flatMap(([key, value]): Complaint[] => {
    const given = objectIn(value) ?? {};
    const path = [kind, key];
    const complaint = ruleOf(kind, given);
    if (complaint)
      return [{ path: [...path, ...complaint.path], message: complaint.message, hint: complaint.hint }];
    const base = textIn(given.name) ?? `${prefix}${key}`;
    if (!/^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$/.test(base) || base.length > LONGEST_BASE)
      return [
        { path, message: `the name "${base}" must be letters, digits, . _ and -, at most ${LONGEST_BASE}` },
      ];
    return [];
  });
}

function ruleOf(kind: "configs" | "secrets", given: JsonObject): Required<Complaint> | undefined {
  const external = isExternal(given);
  if (external && given.content !== undefined)
    return { path: ["content"], message: "does not go with external", hint: "keep one of them" };
  if (external || (kind === "configs" && given.content !== undefined)) return undefined;
  if (kind === "configs")
    return { path: [], message: "needs `content`, or `external: true`", hint: CONFIG_HINT };
  if (given.content === undefined) return { path: [], message: "needs `external: true`", hint: SECRET_HINT };
  if (objectIn(given["x-sluice"])?.inClear === true) return undefined;
  return {
    path: ["content"],
    message: "a secret in Git can be read by everybody who reads the deploy repo",
    hint: CLEAR_HINT,
  };
}

const CONFIG_HINT = "a job file stands alone: write the text itself below `content: |`";
const SECRET_HINT = "make it with `docker secret create`, and name it here with `external: true`";
const CLEAR_HINT =
  "name a secret made by hand with `external: true`, or agree with `x-sluice: { inClear: true }`";
