import { createHash } from "node:crypto";
import type { Fingerprint } from "./ids.ts";
import { canonicalJson, type Json } from "./json.ts";

/** What a spec says, whatever order or layout its file has. */
export function fingerprintOf(spec: Json): Fingerprint {
  return createHash("sha256").update(canonicalJson(spec)).digest("hex") as Fingerprint;
}
