import { type FieldOfJob, type FilePath, isJsonObject, readDocuments, type TextPlace } from "@sluice/core";
import { keysAlong } from "./field-path.ts";
import type { NativeForms, NativeJob } from "./job-file.ts";
import { without } from "./reading.ts";

/**
 * Where a file says what stands at a path of a job's spec. The file is read again for it: places are asked for where something
 * was refused, and remembering them would cost every job its whole document. In a form that is translated, the job's own line.
 */
export function placeInJobFile(
  file: { readonly path: FilePath; readonly bytes: Uint8Array },
  { target, id, path }: FieldOfJob,
  forms: NativeJob | NativeForms,
): TextPlace | undefined {
  for (const document of readDocuments(file.bytes).documents) {
    const { value } = document;
    if (!isJsonObject(value)) continue;
    const native = typeof forms === "function" ? forms(value) : forms;
    if (typeof native === "function") {
      const job = native(document, target).jobs.find((one) => one.id === id);
      if (job) return { line: job.line, column: 1 };
      continue;
    }
    const parts = native.several?.(value)?.parts ?? [{ path: [], value }];
    const part = parts.find((one) => native.id(without(one.value, "sluice")) === id);
    if (part) return document.locate([...part.path, ...keysAlong(part.value, path)]);
  }
  return undefined;
}

/** The dotted path of the first key of a spec that a sentence names; undefined: it names none. */
export function fieldNamedIn(sentence: string, spec: unknown): string | undefined {
  const words = new Set(sentence.match(/\w+/g));
  for (let level: [path: string, value: unknown][] = [["", spec]]; level.length > 0; ) {
    const below: [path: string, value: unknown][] = [];
    for (const [path, value] of level) {
      if (typeof value !== "object" || value === null) continue;
      for (const [key, inner] of Object.entries(value)) {
        const at = path === "" ? key : `${path}.${key}`;
        if (words.has(key) && !Array.isArray(value)) return at;
        below.push([at, inner]);
      }
    }
    level = below;
  }
  return undefined;
}
