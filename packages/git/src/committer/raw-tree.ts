import { type ObjectId, SluiceError } from "@sluice/core";

/** An entry with its mode as it is written, so that whatever is not edited is written back as it was. */
export interface RawEntry {
  readonly mode: string;
  /** One segment of a path; each character is one byte. */
  readonly name: string;
  readonly oid: ObjectId;
}

/** @throws GIT_FAILED for bytes that are no tree. */
export function rawTree(oid: ObjectId, bytes: Buffer): readonly RawEntry[] {
  const entries: RawEntry[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const nul = bytes.indexOf(0, space);
    if (space < 0 || nul < 0 || nul + 21 > bytes.length)
      throw new SluiceError("GIT_FAILED", `the tree ${oid} is malformed: it is cut short`);
    entries.push({
      mode: bytes.toString("latin1", at, space).replace(/^0+/, ""),
      name: bytes.toString("latin1", space + 1, nul),
      oid: bytes.toString("hex", nul + 1, nul + 21) as ObjectId,
    });
    at = nul + 21;
  }
  return entries;
}

export function treeBytes(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ mode, name, oid }) => [
      Buffer.from(`${mode} ${name}\0`, "latin1"),
      Buffer.from(oid, "hex"),
    ]),
  );
}

/** Git's order: by bytes, a folder's name as if it ended with a slash. */
export function compareEntries(a: RawEntry, b: RawEntry): number {
  const [one, other] = [order(a), order(b)];
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function order({ mode, name }: RawEntry): string {
  return mode === "40000" ? `${name}/` : name;
}
