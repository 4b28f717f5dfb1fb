import { parseDuration } from "@sluice/core";
import type { RemoteAccess, SourceLimits } from "@sluice/git";
import { z } from "zod";
import { duration } from "./settings.ts";

const file = (description: string) => z.string().min(1).optional().meta({ description });

const count = (standard: number, description: string) =>
  z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(standard).meta({ description });

const auth = z
  .strictObject({
    username: z.string().min(1).optional().meta({ description: "User for basic authentication." }),
    passwordFile: file("File that holds the user's password, or the token that stands for it."),
    tokenFile: file("File that holds a token, in place of `username` and `passwordFile`."),
    scheme: z.enum(["basic", "bearer"]).optional().meta({
      description:
        "How `tokenFile` is sent: `basic` (default), as GitHub, GitLab and Gitea want it: as a password; `bearer`: as `Authorization: Bearer …`.",
    }),
  })
  .superRefine(oneWay)
  .meta({
    description: "Credentials for an http(s) repository. The files are read anew at each contact.",
  });

const ssh = z
  .strictObject({
    keyFile: file("File that holds the private key. Absent: what ssh finds by itself."),
    knownHostsFile: file("File with the keys of the hosts to trust. Absent: the user's and the system's."),
  })
  .meta({ description: "How an ssh repository is reached. Unknown hosts are never trusted." });

/** The settings of a source that say how its repository is reached. */
export const sourceAccess = {
  auth: auth.optional(),
  ca: file("File with the authority that signed the repository's server certificate, PEM."),
  cert: file("File with the client certificate for the repository's server, PEM."),
  key: file("File with the client certificate's key, PEM."),
  ssh: ssh.optional(),
};

/** What a deploy repo may ask of the engine. */
export const limits = z
  .strictObject({
    maxFileBytes: count(
      512 * 1024,
      "The longest file, in bytes; a revision with a longer one is refused whole, and the one before it stays. A value of Consul holds 524,288 at the most.",
    ),
    maxFiles: count(
      200_000,
      "The most files of a revision, folders of a revision, and entries of one folder.",
    ),
    maxDepth: count(100, "How deep folders may be nested."),
    maxFetchBytes: count(1024 * 1024 * 1024, "The most bytes one fetch may bring."),
    fetchTimeout: duration("10m", "How long one fetch may last."),
  })
  .prefault({})
  .meta({
    description:
      "What a deploy repo may ask of the engine. What is beyond is refused, and the old revision stays.",
  });

interface AccessSettings {
  readonly auth?: z.output<typeof auth> | undefined;
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly ssh?: z.output<typeof ssh> | undefined;
}

/** As the Git adapter takes it. */
export function accessOf({ auth: given, ca, cert, key, ssh: secureShell }: AccessSettings): RemoteAccess {
  const { username, passwordFile, tokenFile, scheme } = given ?? {};
  const { keyFile, knownHostsFile } = secureShell ?? {};
  return {
    ...(username && passwordFile ? { auth: { username, passwordFile } } : {}),
    ...(tokenFile ? { auth: { tokenFile, ...(scheme ? { scheme } : {}) } } : {}),
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(secureShell
      ? { ssh: { ...(keyFile ? { keyFile } : {}), ...(knownHostsFile ? { knownHostsFile } : {}) } }
      : {}),
  };
}

/** Up to here a file is read whole even where it is too long, so that a message can say how long it is. */
const MEASURED_BYTES = 2 * 1024 * 1024;

/** As the Git adapter takes it. */
export function limitsOf({ fetchTimeout, ...counts }: z.output<typeof limits>): SourceLimits {
  return {
    ...counts,
    maxFileBytes: Math.max(counts.maxFileBytes, MEASURED_BYTES),
    fetchTimeoutMs: parseDuration(fetchTimeout) ?? 0,
  };
}

function oneWay(
  given: {
    username?: string | undefined;
    passwordFile?: string | undefined;
    tokenFile?: string | undefined;
    scheme?: string | undefined;
  },
  context: z.RefinementCtx,
): void {
  const { username, passwordFile, tokenFile, scheme } = given;
  const problem = (message: string) => context.addIssue({ code: "custom", path: [], message });
  if (tokenFile && (username || passwordFile))
    problem("give `tokenFile`, or `username` and `passwordFile`, not both");
  else if (!tokenFile && !(username && passwordFile))
    problem("needs `tokenFile`, or `username` and `passwordFile`");
  if (scheme && !tokenFile) problem("`scheme` says how `tokenFile` is sent, and there is none");
}
