import {
  DEFAULT_JOB_OPTIONS,
  type FilePath,
  isJsonObject,
  type JobId,
  type JobKey,
  type Json,
  type JsonObject,
  jobKey,
  type ParsedFile,
  type ParsedJob,
  type Problem,
  readDocuments,
  type TargetName,
  type TextDocument,
} from "@sluice/core";
import type { z } from "zod";
import { type Complaint, complaintsOf } from "./complaint.ts";
import { readOptions } from "./options.ts";
import { withoutNulls } from "./reading.ts";
import { keysAt } from "./schema.ts";

/** What is particular to one scheduler's job files. */
export interface NativeJob {
  /** Of the native form alone, without `sluice:`. */
  readonly schema: z.ZodType;
  /** The rules that span fields. The spec may still be of the wrong shape. */
  rules(spec: JsonObject): readonly Complaint[];
  /** The id of a spec that passed. */
  id(spec: JsonObject): JobId;
  /** Jobs that a spec depends on by its native fields. */
  dependencies(spec: JsonObject, target: TargetName): readonly JobKey[];
  /** Advice for unknown top-level keys that people are likely to write. */
  readonly strange: Readonly<Record<string, string>>;
  /** The jobs of a document that holds several of them; undefined: it is one job. */
  several?(document: JsonObject): SeveralJobs | undefined;
}

/** What a document with several jobs holds. With complaints of its own it holds no job. */
export interface SeveralJobs {
  readonly parts: readonly JobPart[];
  /** Blocks `sluice:` outside the jobs, which the jobs inherit. */
  readonly blocks: readonly { readonly path: Complaint["path"]; readonly block: Json }[];
  readonly complaints: readonly Complaint[];
}

/** One of several jobs of a document. */
export interface JobPart {
  /** Where it stands in the document. */
  readonly path: Complaint["path"];
  /** In the form of a document of its own, with its `sluice:` and what it inherits. */
  readonly value: JsonObject;
  /** Jobs of the same target that must be healthy first, beside those its options name. */
  readonly after: readonly JobId[];
}

/** Picks the native form that a document has, or what reads it where it is no native form. */
export type NativeForms = (document: JsonObject) => NativeJob | DocumentReader;

export type DocumentReader = (document: TextDocument, target: TargetName) => ReadDocument;

/** True for YAML and JSON files. */
export function isJobFile(path: FilePath): boolean {
  return /\.(ya?ml|json)$/.test(path);
}

/** Reads a file of one or more documents, each a job or several, and says everything that is wrong with it. */
export function readJobFile(
  file: { readonly path: FilePath; readonly bytes: Uint8Array },
  target: TargetName,
  native: NativeJob | NativeForms,
): ParsedFile {
  const { documents, problems: syntax } = readDocuments(file.bytes);
  if (syntax.length > 0) return { jobs: [], problems: syntax.map((one) => syntaxProblem(file.path, one)) };
  if (documents.length === 0) return { jobs: [], problems: [emptyFile(file.path)] };
  const jobs: ParsedJob[] = [];
  const problems: Problem[] = [];
  for (const document of documents) {
    const read = readDocument(document, target, native);
    jobs.push(...read.jobs);
    problems.push(...read.complaints.map((one) => problemOf(file.path, document, one)));
  }
  problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  return { jobs, problems };
}

/** What a document holds. */
export interface ReadDocument {
  readonly jobs: readonly ParsedJob[];
  readonly complaints: readonly Complaint[];
}

function readDocument(
  document: TextDocument,
  target: TargetName,
  forms: NativeJob | NativeForms,
): ReadDocument {
  const { value } = document;
  if (!isJsonObject(value)) return { jobs: [], complaints: [notAJob(value)] };
  const native = typeof forms === "function" ? forms(value) : forms;
  if (typeof native === "function") return native(document, target);
  const several = native.several?.(value);
  const context = { document, target, native };
  if (!several) return readJob({ path: [], value, after: [] }, context);
  const complaints = [
    ...several.complaints,
    ...several.blocks.flatMap(({ path, block }) =>
      under(path, readOptions(block, target, keysAt(native.schema, []) ?? []).complaints),
    ),
  ];
  if (complaints.length > 0) return { jobs: [], complaints };
  const read = several.parts.map((part) => readJob(part, context));
  return {
    jobs: read.flatMap((one) => one.jobs),
    complaints: read.flatMap((one) => one.complaints),
  };
}

interface PartContext {
  readonly document: TextDocument;
  readonly target: TargetName;
  readonly native: NativeJob;
}

function readJob({ path, value, after }: JobPart, { document, target, native }: PartContext): ReadDocument {
  const { sluice, ...spec } = value;
  const read =
    sluice === undefined
      ? { options: DEFAULT_JOB_OPTIONS, complaints: [] }
      : readOptions(sluice, target, keysAt(native.schema, []) ?? []);
  const complaints = [
    ...complaintsOf(native.schema, spec, native.strange),
    ...native.rules(spec),
    ...read.complaints,
  ];
  if (complaints.length > 0) return { jobs: [], complaints: under(path, firstPerPlace(complaints)) };
  const dependsOn = [...native.dependencies(spec, target), ...after.map((id) => jobKey(target, id))];
  const job: ParsedJob = {
    id: native.id(spec),
    spec: withoutNulls(spec) as JsonObject,
    options:
      dependsOn.length === 0
        ? read.options
        : { ...read.options, dependsOn: [...new Set([...read.options.dependsOn, ...dependsOn])] },
    line: document.locate(path).line,
  };
  return { jobs: [job], complaints: [] };
}

function under(path: Complaint["path"], complaints: readonly Complaint[]): readonly Complaint[] {
  return path.length === 0 ? complaints : complaints.map((one) => ({ ...one, path: [...path, ...one.path] }));
}

/** One complaint per place: what else is said of a value of the wrong type follows from its type. */
export function firstPerPlace(complaints: readonly Complaint[]): readonly Complaint[] {
  const seen = new Set<string>();
  return complaints.filter(({ path }) => {
    const place = path.join("\0");
    return !seen.has(place) && seen.add(place);
  });
}

function problemOf(file: FilePath, document: TextDocument, complaint: Complaint): Problem {
  return {
    file,
    ...document.locate(complaint.path),
    ...(complaint.path.length === 0 ? {} : { key: complaint.path.join(".") }),
    reason: "InvalidSpec",
    message: complaint.message,
    ...(complaint.hint === undefined ? {} : { hint: complaint.hint }),
  };
}

function syntaxProblem(file: FilePath, at: { line: number; column: number; message: string }): Problem {
  return { file, line: at.line, column: at.column, reason: "InvalidSpec", message: at.message };
}

/** An empty file is no wish for nothing: half-written and emptied files must not remove a job. */
function emptyFile(file: FilePath): Problem {
  return {
    file,
    reason: "InvalidSpec",
    message: "the file holds no job",
    hint: "delete the file to remove its job",
  };
}

function notAJob(value: Json): Complaint {
  const hint = Array.isArray(value) ? "write one document per job, with a line --- between them" : undefined;
  return { path: [], message: "a job is a mapping of keys to values", ...(hint ? { hint } : {}) };
}
