import { readFileSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { readDocuments, SluiceError, suggest, type TextDocument } from "@sluice/core";
import type { z } from "zod";
import { type Config, configSchema } from "./schema.ts";

/** The file `sluice up` reads when none is named and it exists. */
export const DEFAULT_CONFIG_FILE = "sluice.yaml";

/** A configuration is read once: code that is made for it would cost more than it saves. */
const ONCE = { jitless: true };

/** A configuration and the folder that its relative paths start from. */
export interface LoadedConfig {
  readonly config: Config;
  readonly baseDir: string;
}

/**
 * @param file the file to read; undefined: `sluice.yaml` in this folder if there is one, else every default.
 * @throws CONFIG_NOT_FOUND; CONFIG_INVALID with every problem at once, each with its line and key.
 */
export function loadConfig(file: string | undefined, cwd: string): LoadedConfig {
  const path = resolve(cwd, file ?? DEFAULT_CONFIG_FILE);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    if (file === undefined && (cause as NodeJS.ErrnoException).code === "ENOENT")
      return { config: resolvePaths(configSchema.parse({}, ONCE), cwd), baseDir: cwd };
    throw new SluiceError("CONFIG_NOT_FOUND", `cannot read the configuration ${path}`, { cause });
  }
  const config = parseConfig(bytes, file ?? DEFAULT_CONFIG_FILE);
  return { config: resolvePaths(config, dirname(path)), baseDir: dirname(path) };
}

/** @param name the file's name, for messages. @throws CONFIG_INVALID */
export function parseConfig(bytes: Uint8Array, name: string): Config {
  const { documents, problems } = readDocuments(bytes);
  if (problems.length > 0) fail(problems.map((one) => `${name}:${one.line}:${one.column}: ${one.message}`));
  if (documents.length > 1) fail([`${name}: holds ${documents.length} documents where one is meant`]);
  const document = documents[0];
  const parsed = configSchema.safeParse(document?.value ?? {}, ONCE);
  if (parsed.success) return parsed.data;
  return fail(parsed.error.issues.flatMap((issue) => describeIssue(issue, document, name)));
}

function fail(lines: readonly string[]): never {
  throw new SluiceError("CONFIG_INVALID", lines.join("\n"));
}

function describeIssue(issue: z.core.$ZodIssue, document: TextDocument | undefined, name: string): string[] {
  const path = issue.path as (string | number)[];
  const at = (keys: (string | number)[]) => {
    const place = document?.locate(keys);
    return `${name}:${place?.line ?? 1}: ${keys.join(".") || "(top level)"}`;
  };
  if (issue.code !== "unrecognized_keys") return [`${at(path)}: ${issue.message}`];
  return issue.keys.map((key) => `${at([...path, key])}: unknown setting${suggest(key, knownKeys(path))}`);
}

/** The settings a place of the schema knows, for suggestions; a record's own names stand for any. */
function knownKeys(path: readonly (string | number)[]): string[] {
  let schema: unknown = configSchema;
  for (const key of path) schema = step(unwrap(schema), String(key));
  const inner = unwrap(schema) as { shape?: Record<string, unknown> } | undefined;
  return Object.keys(inner?.shape ?? {});
}

function step(schema: unknown, key: string): unknown {
  const { shape, def } = schema as { shape?: Record<string, unknown>; def?: { valueType?: unknown } };
  return shape?.[key] ?? def?.valueType;
}

function unwrap(schema: unknown): unknown {
  let inner = schema;
  for (let def = defOf(inner); def?.innerType ?? def?.in; def = defOf(inner)) inner = def.innerType ?? def.in;
  return inner;
}

/** `innerType` of what is optional or has a default, `in` of what is transformed. */
function defOf(schema: unknown): { innerType?: unknown; in?: unknown } | undefined {
  return (schema as { def?: { innerType?: unknown; in?: unknown } } | undefined)?.def;
}

/** Settings that are paths of this machine, by name, wherever they stand in the schema. */
const PATH_SETTING = /^(dataDir|ca|cert|key|[a-zA-Z]+(File|Socket))$/;

/** Makes every path of the configuration absolute, from the folder the configuration is in. */
function resolvePaths(config: Config, base: string): Config {
  const resolved = absolute(config, base) as Config;
  for (const { source } of Object.values(resolved.environments)) {
    const { repository } = source;
    if (repository !== undefined && !isRemote(repository)) source.repository = resolve(base, repository);
  }
  return resolved;
}

function absolute(value: unknown, base: string): unknown {
  if (Array.isArray(value)) return value.map((one) => absolute(one, base));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      typeof one === "string" && PATH_SETTING.test(name) ? resolve(base, one) : absolute(one, base),
    ]),
  );
}

/** True for addresses that are fetched from: URLs and `user@host:path`. */
export function isRemote(repository: string): boolean {
  return (
    !isAbsolute(repository) &&
    (/^[a-z][a-z0-9+.-]*:\/\//i.test(repository) || /^[^/\s]+@[^/\s:]+:/.test(repository))
  );
}
