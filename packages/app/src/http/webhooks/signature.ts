import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { Claim } from "./provider.ts";

const HEX_SHA256 = /^[0-9a-f]{64}$/i;

/** A claim that the header holds the body's HMAC-SHA256 as 64 hex digits. */
export function hexClaim(signature: string, secrets: readonly string[]): Claim {
  if (!HEX_SHA256.test(signature)) return { refused: "its signature is not a SHA-256 in hex" };
  const given = Buffer.from(signature, "hex");
  return { proves: (body) => anyMatches(secrets, given, (secret) => hmac(secret, body)) };
}

/** As `hexClaim`, for a header such as `sha256=<hex>`. SHA-1, which some hosts offer beside it, is not taken. */
export function prefixedClaim(header: string, secrets: readonly string[]): Claim {
  const [algorithm = "", signature] = header.split("=", 2);
  if (signature === undefined) return { refused: "its signature names no algorithm" };
  if (algorithm.toLowerCase() !== "sha256")
    return { refused: "its signature is made with another algorithm than sha256" };
  return hexClaim(signature, secrets);
}

/** HMAC-SHA256. */
export function hmac(key: string | Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const mac = createHmac("sha256", key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** True where one of the secrets makes what was given; all are tried, in constant time. */
export function anyMatches<Secret>(
  secrets: readonly Secret[],
  given: Uint8Array,
  make: (secret: Secret) => Uint8Array,
): boolean {
  let matches = false;
  for (const secret of secrets) {
    const made = make(secret);
    if (made.byteLength === given.byteLength && timingSafeEqual(made, given)) matches = true;
  }
  return matches;
}

/** A digest of fixed length, so that comparing secrets tells nothing of their lengths. */
export function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
