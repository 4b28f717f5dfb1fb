import { type Problem, readDocuments, suggest, type TargetName, type TextDocument } from "@sluice/core";
import type { z } from "zod";
import { folderOf, policyOf } from "./filled.ts";
import { defaultPolicy, POLICY_FILE, type Policy } from "./policy.ts";
import { knownKeys, policySchema, type WrittenPolicy } from "./schema.ts";

/** A policy, or every problem of the file that should hold one. */
export type ParsedPolicy =
  | { readonly policy: Policy; readonly problems: readonly [] }
  | { readonly policy: undefined; readonly problems: readonly Problem[] };

type Place = readonly (string | number)[];

/**
 * Reads `deploy.yaml`. @param bytes undefined: the revision holds no such file, so defaults hold.
 * @param targets the targets the engine has: another one named in the file is a problem, since a typo there would
 *   silently feed nothing.
 */
export function parsePolicy(bytes: Uint8Array | undefined, targets: readonly TargetName[]): ParsedPolicy {
  if (!bytes) return { policy: defaultPolicy(targets), problems: [] };
  const { documents, problems } = readDocuments(bytes);
  if (problems.length > 0) return failed(problems.map((one) => ({ ...base(one.message), ...placeOf(one) })));
  const [document, second] = documents;
  if (second) return failed([{ ...base("the file holds more than one document"), ...second.locate([]) }]);
  if (!document) return { policy: defaultPolicy(targets), problems: [] };
  const read = policySchema.safeParse(document.value);
  if (!read.success) return failed(read.error.issues.flatMap((issue) => complaints(issue, [], document)));
  const found = rulesBroken(read.data, targets, document);
  return found.length > 0 ? failed(found) : { policy: policyOf(read.data, targets), problems: [] };
}

function failed(problems: readonly Problem[]): ParsedPolicy {
  return { policy: undefined, problems };
}

function base(message: string): Problem {
  return { file: POLICY_FILE, reason: "InvalidSpec", message };
}

function placeOf({ line, column }: { line: number; column: number }) {
  return { line, column };
}

function problemAt(document: TextDocument, place: Place, message: string): Problem {
  const key = place.length > 0 ? { key: place.join(".") } : {};
  return { ...base(message), ...placeOf(document.locate(place)), ...key };
}

function complaints(issue: z.core.$ZodIssue, above: Place, document: TextDocument): Problem[] {
  const place = [...above, ...(issue.path as Place)];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) =>
      problemAt(document, [...place, key], `unknown key "${key}"${suggest(key, knownKeys(place))}`),
    );
  if (issue.code === "invalid_union") {
    const nearest = issue.errors.find((errors) =>
      errors.some((one) => one.path.length > 0 || one.code === "unrecognized_keys"),
    );
    if (nearest) return nearest.flatMap((one) => complaints(one, place, document));
  }
  return [problemAt(document, place, issue.message)];
}

/** What the schema cannot say: targets that are not there, folders claimed twice, circles. */
function rulesBroken(
  written: WrittenPolicy,
  targets: readonly TargetName[],
  document: TextDocument,
): Problem[] {
  const problems: Problem[] = [];
  const folders = new Map<string, string>();
  const named = written.targets ?? {};
  for (const name of [
    ...targets,
    ...Object.keys(named).filter((one) => !targets.includes(one as TargetName)),
  ]) {
    const settings = named[name];
    const at = (place: Place, message: string) =>
      problems.push(problemAt(document, ["targets", name, ...place], message));
    if (!targets.includes(name as TargetName)) {
      at([], `the engine has no target "${name}"${suggest(name, targets)}; it has ${targets.join(", ")}`);
      continue;
    }
    for (const [index, other] of (settings?.dependsOn ?? []).entries())
      if (!targets.includes(other as TargetName))
        at(["dependsOn", index], `the engine has no target "${other}"${suggest(other, targets)}`);
    const folder = folderOf(settings?.folder ?? name);
    if (folder === undefined) at(["folder"], `"${settings?.folder}" is no folder inside the environment`);
    else if (folders.has(folder))
      at(["folder"], `the target "${folders.get(folder)}" is fed by the folder "${folder}" already`);
    else folders.set(folder, name);
  }
  const circle = circleOf(named);
  if (circle)
    problems.push(
      problemAt(
        document,
        ["targets", circle[0] ?? "", "dependsOn"],
        `these targets depend on each other: ${circle.join(" → ")}`,
      ),
    );
  return problems;
}

function circleOf(targets: NonNullable<WrittenPolicy["targets"]>): string[] | undefined {
  for (const start of Object.keys(targets)) {
    const reached = new Map<string, string>();
    const open = [start];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const next of targets[at]?.dependsOn ?? []) {
        if (next === start) return [start, ...pathTo(at, reached), start];
        if (!reached.has(next)) open.push(next);
        if (!reached.has(next)) reached.set(next, at);
      }
    }
  }
  return undefined;
}

function pathTo(end: string, reached: ReadonlyMap<string, string>): string[] {
  const path: string[] = [];
  for (let at: string | undefined = end; at !== undefined && reached.has(at); at = reached.get(at))
    path.unshift(at);
  return path;
}
