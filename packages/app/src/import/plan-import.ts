import { isJsonObject, type Json, type JsonObject, SluiceError, type TextDocument } from "@sluice/core";
import { environmentName } from "./environment-name.ts";
import { type Interval, planHooks, type Webhook } from "./hooks.ts";
import { noteOptions } from "./known-options.ts";
import { type Note, type Notes, notesOf, type OptionPath } from "./notes.ts";
import { planRepository, type RepositoryPlan } from "./repository.ts";

/** One branch of one repository, as an environment. */
export interface EnvironmentPlan {
  readonly name: string;
  /** Where it comes from, for the comment. */
  readonly origin: string;
  readonly branch: string;
  readonly repository: RepositoryPlan;
  readonly interval: Interval | undefined;
  /** What every key starts with; empty: nothing. */
  readonly prefix: string;
  /** The key with git2consul's commit; undefined where it cannot be told whose it is. */
  readonly ref: string | undefined;
}

export interface ImportPlan {
  readonly environments: readonly EnvironmentPlan[];
  readonly webhooks: ReadonlySet<Webhook>;
  readonly notes: readonly Note[];
}

/** @throws USAGE where the file is no configuration of git2consul at all. */
export function planImport(document: TextDocument): ImportPlan {
  const config = document.value;
  if (!isJsonObject(config) || !Array.isArray(config.repos) || config.repos.length === 0)
    throw new SluiceError("USAGE", "the file is no configuration of git2consul: it has no list `repos`");
  const notes = notesOf(document);
  noteOptions("top", config, [], notes);
  const webhooks = new Set<Webhook>();
  const environments = config.repos.flatMap((repo, at) => planOne(repo as Json, at, webhooks, notes));
  named(environments);
  return { environments: withoutSharedRefs(environments, notes), webhooks, notes: notes.all() };
}

function planOne(repo: Json, at: number, webhooks: Set<Webhook>, notes: Notes): EnvironmentPlan[] {
  const path: OptionPath = ["repos", at];
  if (!isJsonObject(repo)) {
    notes.attend(path, "it is no repository; it is left out");
    return [];
  }
  noteOptions("repository", repo, path, notes);
  const repository = planRepository(repo, path, notes);
  if (!repository) return [];
  const hooks = planHooks(repo.hooks, [...path, "hooks"], notes);
  for (const one of hooks.webhooks) webhooks.add(one);
  const branches = branchesOf(repo, path, notes);
  if (branches.length > 1 && !repository.branchInKeys)
    notes.attend(
      [...path, "include_branch_name"],
      "several branches write the same keys: keep one, or give each environment a `layout.prefix` of its own",
    );
  return branches.map((branch) => ({
    name: "",
    origin: `${path.join(".")} ${JSON.stringify(repository.name)}, branch ${JSON.stringify(branch)}`,
    branch,
    repository,
    interval: hooks.interval,
    prefix: joined(repository.above, repository.branchInKeys ? branch : ""),
    ref: joined(repository.above, `${branch}.ref`),
  }));
}

function branchesOf({ branches }: JsonObject, path: OptionPath, notes: Notes): string[] {
  const names = Array.isArray(branches)
    ? branches.filter((one): one is string => typeof one === "string" && one !== "")
    : [];
  if (!Array.isArray(branches) || names.length === 0 || names.length !== branches.length)
    notes.attend(
      [...path, ...(branches === undefined ? [] : ["branches"])],
      "`branches` must be a list of names; what is none is left out",
    );
  return [...new Set(names)];
}

/** Names must be unique, and are made of what they are. */
function named(environments: EnvironmentPlan[]): void {
  const taken = new Set<string>();
  for (const [at, one] of environments.entries()) {
    const name = environmentName(`${one.repository.name}-${one.branch}`, taken);
    taken.add(name);
    environments[at] = { ...one, name };
  }
}

/** Without repository names in the keys, git2consul let several repositories overwrite one ref. */
function withoutSharedRefs(environments: readonly EnvironmentPlan[], notes: Notes): EnvironmentPlan[] {
  const counts = new Map<string, number>();
  for (const { ref } of environments) counts.set(ref ?? "", (counts.get(ref ?? "") ?? 0) + 1);
  return environments.map((one) => {
    if (one.ref === undefined || counts.get(one.ref) === 1) return one;
    notes.attend(
      one.repository.path,
      `several repositories wrote the ref "${one.ref}", so it cannot be told whose commit it holds: keys of files deleted before the move stay`,
    );
    return { ...one, ref: undefined };
  });
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("/");
}
