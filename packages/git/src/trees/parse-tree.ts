import { type ObjectId, SluiceError, type TreeFile } from "@sluice/core";

export interface TreeEntry {
  /** One segment of a path; each character is one byte. */
  readonly name: string;
  /** What Git sorts by: a folder's name counts as if it ended with a slash. */
  readonly order: string;
  readonly kind: TreeFile["kind"] | "tree" | "unknown";
  readonly oid: ObjectId;
}

/** Git's modes. 100664 was written by very old versions. Execute permission is no part of a file's content. */
const KINDS: Readonly<Record<string, TreeEntry["kind"]>> = {
  "100644": "file",
  "100755": "file",
  "100664": "file",
  "120000": "symlink",
  "160000": "submodule",
  "40000": "tree",
  "040000": "tree",
};

/**
 * A tree object's entries: `<mode> SP <name> NUL <20 bytes>` each, in Git's order.
 * @param most entries; a tree with more is not taken apart to its end, and has one more here.
 * @throws GIT_FAILED for bytes that are no tree, or one whose entries are out of order: comparing relies on the order.
 */
export function parseTree(
  oid: ObjectId,
  bytes: Buffer,
  most = Number.POSITIVE_INFINITY,
): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  let last = "";
  for (let at = 0; at < bytes.length && entries.length <= most; ) {
    const space = bytes.indexOf(0x20, at);
    const nul = bytes.indexOf(0, space);
    if (space < 0 || nul < 0 || nul + 21 > bytes.length) throw malformed(oid, "it is cut short");
    const kind = KINDS[bytes.toString("latin1", at, space)] ?? "unknown";
    const name = bytes.toString("latin1", space + 1, nul);
    const order = kind === "tree" ? `${name}/` : name;
    if (order <= last && entries.length > 0) throw malformed(oid, "its entries are out of order");
    entries.push({ name, order, kind, oid: bytes.toString("hex", nul + 1, nul + 21) as ObjectId });
    last = order;
    at = nul + 21;
  }
  return entries;
}

function malformed(oid: ObjectId, what: string): SluiceError {
  return new SluiceError("GIT_FAILED", `the tree ${oid} is malformed: ${what}`, {
    hint: "Run `git fsck` in the repository.",
  });
}
