import { blobId, displayPath, isSluiceError, type RefusedField, redact } from "@sluice/core";
import { known, type Pass } from "../term.ts";
import { failureText } from "../text.ts";
import type { JobNode } from "./node.ts";

/** What a scheduler refused, each field with its file and line: `apps/shop/web.yaml:12: container.docker.image: must be …`. */
export async function refusalText(pass: Pass, { job, undo }: JobNode, error: unknown): Promise<string> {
  // An earlier spec that is put back is not what the file says.
  if (undo || !isSluiceError(error) || error.fields.length === 0) return failureText(error);
  const bytes = await bytesOf(pass, job.file);
  const { format } = known(pass.term.options.targets.get(job.target), `target ${job.target}`);
  const lineOf = ({ path }: RefusedField) =>
    bytes && format.place?.({ path: job.file, bytes }, { target: job.target, id: job.id, path })?.line;
  let text = error.message;
  for (const field of error.fields) {
    const place = `${displayPath(job.file)}:${lineOf(field) ?? job.line}`;
    text = text.replace(field.words, () => `${place}: ${field.words}`);
  }
  return redact(text);
}

/** The file as it was when the job was read from it; undefined where it is another one by now, or cannot be read. */
async function bytesOf({ term }: Pass, file: JobNode["job"]["file"]): Promise<Uint8Array | undefined> {
  try {
    const bytes = (await term.options.kv.get(term.layout.file(file), term.leading))?.value;
    return bytes && blobId(bytes) === term.tree?.oids.get(file) ? bytes : undefined;
  } catch {
    term.leading.throwIfAborted();
    return undefined;
  }
}
