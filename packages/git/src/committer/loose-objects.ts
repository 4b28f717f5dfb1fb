import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import type { ObjectId } from "@sluice/core";

const deflated = promisify(deflate);

/** Writes one object as Git keeps those that are in no pack: `<type> SP <length> NUL <bytes>`, deflated, named by its hash. */
export async function writeObject(
  objects: string,
  type: "blob" | "tree",
  bytes: Uint8Array,
): Promise<ObjectId> {
  const whole = Buffer.concat([Buffer.from(`${type} ${bytes.byteLength}\0`), bytes]);
  const oid = createHash("sha1").update(whole).digest("hex");
  const folder = join(objects, oid.slice(0, 2));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, oid.slice(2)), await deflated(whole));
  return oid as ObjectId;
}
