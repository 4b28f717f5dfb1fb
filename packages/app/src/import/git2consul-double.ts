import { parse } from "yaml";

/** A repository of git2consul's configuration, as far as it decides about keys. */
export interface RepositoryOptions {
  readonly name: string;
  readonly mountpoint?: string;
  readonly source_root?: string;
  readonly include_branch_name?: boolean;
  readonly ignore_repo_name?: boolean;
  readonly expand_keys?: boolean;
  readonly ignore_file_extension?: boolean;
  readonly common_properties?: string;
}

type Files = Readonly<Record<string, string>>;

/**
 * The keys that git2consul 0.12 leaves in an empty KV after it has mirrored these files, its ref aside: files as trimmed
 * UTF-8; with `expand_keys` a key per value, URI-encoded, lists inside of a document left out, and what cannot be read as one
 * key. Written from its documented behaviour, not from ours, so that the two can be compared.
 */
export function keysOfGit2Consul(
  files: Files,
  branch: string,
  options: RepositoryOptions,
): Record<string, string> {
  const keys: Record<string, string> = {};
  const root = options.source_root?.replace(/\/$/, "");
  for (const [file, content] of Object.entries(files)) {
    if (root !== undefined && !file.startsWith(`${root}/`)) continue;
    const key = keyOf(root === undefined ? file : file.slice(root.length + 1), branch, options);
    const values = options.expand_keys
      ? expanded(file, content, files[options.common_properties ?? ""] ?? "")
      : undefined;
    if (!values) keys[key] = content.trim();
    else for (const [suffix, value] of values) keys[key + suffix] = value;
  }
  return keys;
}

/** Where it keeps the commit it has mirrored. */
export function refOfGit2Consul(branch: string, options: RepositoryOptions): string {
  const repository = options.ignore_repo_name ? [] : [options.name];
  return [...(options.mountpoint ? [options.mountpoint] : []), ...repository, `${branch}.ref`].join("/");
}

function keyOf(file: string, branch: string, options: RepositoryOptions): string {
  const parts = options.mountpoint ? [options.mountpoint] : [];
  if (!options.ignore_repo_name) parts.push(options.name);
  if (options.include_branch_name !== false) parts.push(branch);
  const short = options.ignore_file_extension && options.expand_keys;
  parts.push(short ? file.replace(/\.(json|ya?ml|properties)$/, "") : file);
  return parts.join("/");
}

function expanded(file: string, content: string, common: string): [string, string][] | undefined {
  try {
    if (file.endsWith(".json")) return rendered(JSON.parse(content.trim()), "");
    if (/\.ya?ml$/.test(file)) return rendered(parse(content.trim()), "");
    if (file.endsWith(".properties")) return rendered(properties(content, properties(common, {})), "");
  } catch {
    return undefined;
  }
  return undefined;
}

function rendered(value: unknown, prefix: string): [string, string][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]): [string, string][] => {
    const at = `${prefix}/${encodeURIComponent(key)}`;
    if (Array.isArray(one)) return [];
    if (typeof one === "object" && one !== null) return rendered(one, at);
    return [[at, one === null ? "" : String(one)]];
  });
}

/** Of a properties file: plain `key=value` lines and `${name}`, as far as the tests use them. @throws for a name without a value. */
function properties(text: string, variables: Record<string, string>): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.split("\n").filter((one) => /^[^#!\s]/.test(one))) {
    const [, key = "", value = ""] = /^([^=]*)=(.*)$/.exec(line) ?? [];
    values[key] = value.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
      const found = values[name] ?? variables[name];
      if (found === undefined) throw new Error(`The property "${name}" does not exist`);
      return found;
    });
  }
  return values;
}
