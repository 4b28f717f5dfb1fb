import type { Json, JsonObject } from "@sluice/core";
import type { Notes, OptionPath } from "./notes.ts";

/** What the keys of a repository look like, for all of its branches. */
export interface RepositoryPlan {
  /** Where it stands in the file. */
  readonly path: OptionPath;
  readonly name: string;
  /** Without any password. */
  readonly url: string;
  /** The user whose password the URL held. */
  readonly username: string | undefined;
  /** `[mountpoint/][repository]`. */
  readonly above: string;
  readonly branchInKeys: boolean;
  readonly sourceRoot: string;
  readonly expand: boolean;
  readonly dropExtensions: boolean;
  readonly commonProperties: string;
}

/** Undefined, with a note, for one that git2consul could not have used. */
export function planRepository(repo: JsonObject, path: OptionPath, notes: Notes): RepositoryPlan | undefined {
  const option = optionReader(repo, path, notes);
  const name = option.text("name");
  const url = option.text("url");
  if (name === "" || url === "") {
    notes.attend(path, "a repository needs `name` and `url`; it is left out");
    return undefined;
  }
  const expand = option.flag("expand_keys", false);
  const mountpoint = option.path("mountpoint");
  const bare = option.flag("ignore_repo_name", false);
  const address = withoutPassword(url);
  if (address.hadPassword)
    notes.attend(
      [...path, "url"],
      "the password in it was left out: put it in a file that only the engine's user can read, and name the file in `source.auth.passwordFile`",
    );
  const drop = option.flag("ignore_file_extension", false);
  const common = option.path("common_properties");
  return {
    path,
    name,
    url: address.url,
    username: address.username,
    above: [mountpoint, bare ? "" : option.inKey("name", name)].filter((part) => part !== "").join("/"),
    branchInKeys: option.flag("include_branch_name", true),
    sourceRoot: option.path("source_root"),
    expand,
    dropExtensions: expand && drop,
    commonProperties: expand ? common : "",
  };
}

function optionReader(repo: JsonObject, path: OptionPath, notes: Notes) {
  const wrong = (name: string, wanted: string, done: string) =>
    notes.attend([...path, name], `must be ${wanted}; ${done}`);
  return {
    text(name: string): string {
      const value: Json | undefined = repo[name];
      if (value === undefined || typeof value === "string") return value ?? "";
      wrong(name, "a text", "it is left out");
      return "";
    },
    /** git2consul takes `true` alone for true, but an absent value for the standard. */
    flag(name: string, standard: boolean): boolean {
      const value: Json | undefined = repo[name];
      if (value === undefined || value === null) return standard;
      if (typeof value !== "boolean") wrong(name, "true or false", "git2consul took it for false");
      return value === true;
    },
    path(name: string): string {
      const given = this.text(name);
      const bare = given.replace(/^\/+|\/+$/g, "");
      if (bare !== given && !(name === "source_root" && `${bare}/` === given))
        wrong(name, "a path without slashes around it", "they are left out");
      return this.inKey(name, bare);
    },
    inKey(name: string, value: string): string {
      const parts = value.split("/").filter((part) => part !== "" && part !== "." && part !== "..");
      if (value !== "" && parts.join("/") !== value)
        wrong(name, 'a path without empty, "." or ".." parts', "they are left out");
      return parts.join("/");
    },
  };
}

/** Takes the password out of a URL; the address of a local folder or `user@host:path` has none. */
function withoutPassword(url: string): { url: string; username: string | undefined; hadPassword: boolean } {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^/@]*)@(.*)$/is.exec(url);
  const [, scheme = "", user = "", rest = ""] = match ?? [];
  const [username = "", password] = user.split(":");
  const http = /^https?:/i.test(scheme);
  // Of an http URL a lone user is as often a token as a name.
  const hadPassword = match !== null && (password !== undefined || http);
  if (!match || !hadPassword) return { url, username: undefined, hadPassword: false };
  if (!http) return { url: `${scheme}${username}@${rest}`, username: undefined, hadPassword };
  return { url: `${scheme}${rest}`, username: password === undefined ? undefined : username, hadPassword };
}
