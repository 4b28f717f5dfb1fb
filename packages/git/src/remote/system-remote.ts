import { type CommitId, SluiceError } from "@sluice/core";
import { type GitProgram, runGit } from "../program.ts";
import { readLocalRef } from "../refs/local-ref.ts";
import { basic, type RemoteAddress, secretsOf } from "./address.ts";
import { cacheFolder } from "./cache-folder.ts";
import { type Remote, trackingRef } from "./remote.ts";

export interface RemoteOptions {
  readonly address: RemoteAddress;
  readonly branch: string;
  readonly ref: string;
  readonly cacheDir: string;
}

/** A remote reached by the `git` program: `ls-remote` to ask, `fetch` only where something moved. */
export function systemRemote(program: GitProgram, options: RemoteOptions): Remote {
  const { address, ref } = options;
  const tracking = trackingRef(options.branch);
  const secrets = secretsOf(address);
  const env = { ...program.env, ...credentialEnvironment(address) };
  let folder: Promise<string> | undefined;

  function gitDir(): Promise<string> {
    folder ??= cacheFolder(options.cacheDir, address.url, async (draft) => {
      await runGit(program, ["init", "--quiet", "--bare", "--template=", "--", draft]);
    });
    folder.catch(() => {
      folder = undefined;
    });
    return folder;
  }
  function run(args: readonly string[], signal: AbortSignal | undefined): Promise<string> {
    const safe = ["-c", "protocol.ext.allow=never", "-c", "gc.autoDetach=false", ...args];
    return runGit(program, safe, { env, secrets, ...(signal ? { signal } : {}) });
  }

  return {
    gitDir,
    async head(signal) {
      const clone = await gitDir();
      const there = headIn(await run(["ls-remote", "--", address.url, ref], signal), ref);
      if (there === undefined) return undefined;
      if ((await readLocalRef(clone, tracking)) === there) return there;
      const refspec = `+${ref}:${tracking}`;
      const how = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
      await run([`--git-dir=${clone}`, "fetch", ...how, "--", address.url, refspec], signal);
      const here = await readLocalRef(clone, tracking);
      if (here === undefined) throw new SluiceError("GIT_FAILED", `git fetch brought no ${ref}`);
      return here;
    },
  };
}

/** A pattern of `ls-remote` also matches longer refs that end alike, so the name is compared. */
function headIn(output: string, ref: string): CommitId | undefined {
  for (const line of output.split("\n")) {
    const [id, name] = line.split("\t");
    if (name !== ref || id === undefined) continue;
    if (/^[0-9a-f]{40}$/.test(id)) return id as CommitId;
    throw new SluiceError("GIT_FAILED", `the remote's ${ref} has an id that is not supported`);
  }
  return undefined;
}

/** Credentials go by the environment, bound to the URL: a command line can be read by every user of the machine. */
function credentialEnvironment({ url, credentials }: RemoteAddress): NodeJS.ProcessEnv {
  if (!credentials) return {};
  return {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `http.${url}.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic(credentials)}`,
  };
}
