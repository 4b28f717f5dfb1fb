import { type JsonObject, suggest } from "@sluice/core";
import type { Notes, OptionPath } from "./notes.ts";

/** What to say of an option: nothing where it is turned into settings, else what became of it or what to do. */
type Fate = { readonly used: true } | { readonly told: string } | { readonly attend: string };

const USED: Fate = { used: true };
const SECRET =
  "a secret is never written into the configuration: put it in a file that only the engine's user can read, and name the file in";

/** Options of the whole file, as git2consul 0.12 and its README have them. */
const TOP: Readonly<Record<string, Fate>> = {
  repos: USED,
  version: { told: "git2consul ignored it, too" },
  local_store: { told: "one clone per repository is kept below `dataDir`; the old folder can be deleted" },
  logger: { told: "logs go to standard output: `sluice up --log json`" },
  no_daemon: {
    attend: "there is no run that ends after one pass: start `sluice up`, wait for `/readyz`, and stop it",
  },
  halt_on_change: {
    told: "the configuration is a file: change it and restart; a restart writes nothing that is there",
  },
  max_sockets: { told: "connections are few and kept open; there is nothing to cap" },
  token: { attend: `${SECRET} \`consul.tokenFile\`` },
};

/** Options of a repository. */
const REPOSITORY: Readonly<Record<string, Fate>> = {
  name: USED,
  url: USED,
  branches: USED,
  hooks: USED,
  include_branch_name: USED,
  ignore_repo_name: USED,
  mountpoint: USED,
  source_root: USED,
  expand_keys: USED,
  expand_keys_diff: { told: "only keys whose values differ are ever written" },
  common_properties: USED,
  ignore_file_extension: USED,
  local_store: { told: "clones are kept below `dataDir`" },
  support_tags: {
    attend: "tags are not mirrored: make a branch of each tag that must be, and name it, or leave them out",
  },
  mode: { attend: 'git2consul ignores it; where `"expand_keys": true` was meant, set `layout.expand: true`' },
  token: { attend: `${SECRET} \`consul.tokenFile\`` },
  credentials: { attend: `${SECRET} \`source.auth.passwordFile\` or \`source.ssh.keyFile\`` },
  username: { attend: "set `source.auth.username` beside `source.auth.passwordFile`" },
  password: { attend: `${SECRET} \`source.auth.passwordFile\`` },
  private_key: { attend: `${SECRET} \`source.ssh.keyFile\`` },
  privateKey: { attend: `${SECRET} \`source.ssh.keyFile\`` },
  ssh_key: { attend: `${SECRET} \`source.ssh.keyFile\`` },
  passphrase: { attend: "a key with a passphrase needs an ssh agent: set SSH_AUTH_SOCK for the engine" },
};

/** Options of a hook. */
const HOOK: Readonly<Record<string, Fate>> = { type: USED, port: USED, url: USED, interval: USED };

const TABLES = { top: TOP, repository: REPOSITORY, hook: HOOK };

/** Says what becomes of every option that is not turned into a setting. Values are never repeated: they may be secrets. */
export function noteOptions(
  kind: keyof typeof TABLES,
  given: JsonObject,
  path: OptionPath,
  notes: Notes,
): void {
  const table = TABLES[kind];
  for (const key of Object.keys(given)) {
    const fate = Object.hasOwn(table, key) ? table[key] : undefined;
    if (!fate)
      notes.attend(
        [...path, key],
        `git2consul has no such option${suggest(key, Object.keys(table))}; it is left out`,
      );
    else if ("attend" in fate) notes.attend([...path, key], fate.attend);
    else if ("told" in fate) notes.tell([...path, key], fate.told);
  }
}
