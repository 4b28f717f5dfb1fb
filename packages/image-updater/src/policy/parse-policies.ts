import {
  encodePath,
  isJsonObject,
  type JsonObject,
  type Problem,
  readDocuments,
  suggest,
  type TextDocument,
} from "@sluice/core";
import type { z } from "zod";
import { canonicalName, isImageName } from "../reference.ts";
import { type TagOrder, tagOrder } from "./order.ts";
import { IMAGE_KEYS, imageSchema } from "./schema.ts";

/** The file that says of a repository's images which tags are newer. */
export const POLICY_FILE = "deploy.yaml";

/** What is to become of one image. */
export interface ImagePolicy {
  /** As `deploy.yaml` spells it. */
  readonly name: string;
  /** As `deploy.yaml` has it; `pin` where that is all it says. */
  readonly kind: string;
  /** Which tags are newer; undefined: only a person says, by the pin. */
  readonly order: TagOrder | undefined;
  /** Whether a reference names the digest as well, and an announcement without one is of no use. */
  readonly digest: boolean;
  /** Undefined: an announcement without a tag is of no use. */
  readonly untagged: boolean;
  /** The tag that is to run whatever is newer. */
  readonly pin: string | undefined;
}

export interface ImagePolicies {
  /** By canonical name. */
  readonly images: ReadonlyMap<string, ImagePolicy>;
  readonly problems: readonly Problem[];
}

/**
 * Reads `images` of `deploy.yaml`; an image with a problem is left out and the others count. A file that cannot be read at all has
 * problems and no images; the rest of the file is the deployer's business.
 */
export function parsePolicies(bytes: Uint8Array | undefined): ImagePolicies {
  if (!bytes) return { images: new Map(), problems: [] };
  const { documents, problems } = readDocuments(bytes);
  const [document] = documents;
  if (problems.length > 0)
    return {
      images: new Map(),
      problems: problems.map((one) => ({ ...problem(one.message), line: one.line, column: one.column })),
    };
  const written = isJsonObject(document?.value) ? document.value.images : undefined;
  if (!document || written === undefined || written === null) return { images: new Map(), problems: [] };
  if (!isJsonObject(written))
    return { images: new Map(), problems: [at(document, ["images"], "must be a mapping of image names")] };
  return readImages(document, written);
}

function readImages(document: TextDocument, written: JsonObject): ImagePolicies {
  const images = new Map<string, ImagePolicy>();
  const problems: Problem[] = [];
  for (const [name, value] of Object.entries(written)) {
    const place = ["images", name];
    const canonical = canonicalName(name);
    if (!isImageName(name))
      problems.push(at(document, place, `"${name}" is no image name without tag and digest`));
    else if (images.has(canonical)) problems.push(at(document, place, `the image "${name}" is named twice`));
    else {
      const read = imageSchema.safeParse(value);
      if (read.success) {
        const { policy, digest = policy === "digest", pin } = read.data;
        const order = policy === undefined ? undefined : tagOrder(read.data);
        images.set(canonical, {
          name,
          kind: policy ?? "pin",
          order,
          digest,
          untagged: policy === "digest",
          pin,
        });
      } else problems.push(...read.error.issues.flatMap((issue) => complaints(issue, place, document)));
    }
  }
  return { images, problems };
}

function complaints(issue: z.core.$ZodIssue, above: readonly string[], document: TextDocument): Problem[] {
  const place = [...above, ...(issue.path as (string | number)[])];
  if (issue.code !== "unrecognized_keys") return [at(document, place, issue.message)];
  return issue.keys.map((key) =>
    at(document, [...place, key], `unknown key "${key}"${suggest(key, IMAGE_KEYS)}`),
  );
}

function at(document: TextDocument, place: readonly (string | number)[], message: string): Problem {
  const { line, column } = document.locate(place);
  return { ...problem(message), line, column, key: place.join(".") };
}

function problem(message: string): Problem {
  return { file: encodePath(POLICY_FILE), reason: "InvalidSpec", message };
}
