/**
 * Every error code a user can meet: what it means and what to do about it. `docs/errors.md` is generated from this table,
 * so a sentence here is a sentence there.
 */
export const ERROR_CODES = {
  CONFIG_INVALID: [
    "The configuration has unknown, missing or wrong settings.",
    "Mend every setting the message lists; `docs/config.md` describes them all.",
  ],
  CONFIG_NOT_FOUND: [
    "The named configuration file does not exist.",
    "Give another --config, or run `sluice init` to write one.",
  ],
  DATA_DIR_UNUSABLE: [
    "The data folder cannot be created, written or locked.",
    "Give a folder this user can write that no other engine uses (`dataDir`, --data).",
  ],
  PORT_TAKEN: [
    "Another program listens on a port Sluice was told to use.",
    "Stop that program or give another port.",
  ],
  GIT_MISSING: ["No `git` program was found.", "Install git, or put it on the PATH."],
  GIT_FAILED: [
    "A git command failed.",
    "The message holds what git said; check the repository's address, credentials and state.",
  ],
  GIT_DENIED: [
    "The repository's server refused the credentials, or asks for some.",
    "Check `source.auth` or `source.ssh` and what the account may read; the files are read anew at each attempt.",
  ],
  GIT_CONFLICT: [
    "The branch moved while a commit for it was being made.",
    "Sluice reads the branch again and retries by itself.",
  ],
  GIT_REFUSED: [
    "A hook or a rule of the repository refused a commit of Sluice.",
    "The message holds the repository's own words; mend what they name, or let Sluice's account push to the branch.",
  ],
  GIT_OBJECT_MISSING: [
    "The repository lacks an object that a commit names.",
    "The object store is damaged or truncated: run `git fsck` there and restore or re-clone it.",
  ],
  GIT_REF_INVALID: [
    "A branch or ref name is not one git accepts.",
    "Use a name that `git check-ref-format --branch` accepts.",
  ],
  KV_UNREACHABLE: [
    "Consul cannot be reached or cannot answer now.",
    "Sluice retries by itself; check Consul's address, its leader and the network.",
  ],
  KV_DENIED: [
    "Consul refused the token or a rule is missing.",
    "Give the service's token the rules its policy file lists.",
  ],
  KV_FILTERED: [
    "Consul left keys out of an answer because of ACL rules.",
    "Grant `list` and `read` on Sluice's prefix; a filtered answer is never taken for an empty one.",
  ],
  KV_INVALID: [
    "Consul refused a request as malformed or too large.",
    "This is a limit of Consul or a fault of Sluice; the message says which key and limit.",
  ],
  KV_RECORD_INVALID: [
    "A record Sluice keeps in the KV cannot be read.",
    "Someone wrote over it by hand: the message names the key; delete it and Sluice writes it anew.",
  ],
  LOCK_LOST: [
    "The leader lock was lost, so the write was not made.",
    "Another engine leads now; this one waits for its turn.",
  ],
  FILE_TOO_LARGE: [
    "A file of the deploy repo exceeds the size limit of a KV value.",
    "Make the file smaller, exclude it, or raise the limit on both sides.",
  ],
  LIMIT_EXCEEDED: [
    "The deploy repo exceeds a limit of the configuration.",
    "Make the repository smaller, or raise the limit the message names under `limits`.",
  ],
  FILE_INVALID: [
    "Files of the repository cannot be turned into keys.",
    "Mend the file at the line the message names, exclude it, or set `layout.invalid: raw`.",
  ],
  PATH_UNSAFE: [
    "A path in the deploy repo cannot be mirrored safely.",
    "Rename the file; the message says why.",
  ],
  SCHEDULER_UNREACHABLE: [
    "The scheduler cannot be reached or cannot answer now.",
    "Sluice retries by itself; check the scheduler's address and leader.",
  ],
  SCHEDULER_DENIED: [
    "The scheduler refused the credentials.",
    "Check the target's credentials in the engine's configuration.",
  ],
  SCHEDULER_INVALID: [
    "The scheduler refused a job as invalid.",
    "Mend the job file as the message says and push again.",
  ],
  SCHEDULER_CONFLICT: [
    "The job changed in the scheduler while it was being written.",
    "Sluice reads it again and retries by itself.",
  ],
  SCHEDULER_LOCKED: [
    "The scheduler is still busy with an earlier deployment of the job.",
    "Sluice waits for it; cancel that deployment in the scheduler if it is stuck.",
  ],
  CI_UNREACHABLE: [
    "The CI cannot be reached or cannot answer now.",
    "Sluice retries by itself until the build's timeout; check the CI's address.",
  ],
  CI_DENIED: [
    "The CI refused the credentials.",
    "Check the account and its secret under `builds`; Sluice tries again by itself.",
  ],
  CI_REFUSED: [
    "The CI refused a build for good.",
    "Mend what the message names, then ask for the build again with `sluice build start`.",
  ],
  TEMPLATE_INVALID: [
    "The router's template cannot be used.",
    "Mend it at the line the message names; the file that is in use stays.",
  ],
  BALANCER_FAILED: [
    "The load balancer did not take its configuration.",
    "What it did before goes on; the message says what it refused.",
  ],
  ENGINE_UNREACHABLE: [
    "The container engine cannot be reached or cannot answer now.",
    "Sluice retries by itself; check `registrar.docker` and that this user may use the engine's socket.",
  ],
  JOB_INVALID: ["A job file cannot be used.", "Mend the file at the line the message names."],
  SERVER_UNREACHABLE: [
    "No Sluice engine answers at this address.",
    "Start one with `sluice up`, or give its address with --server or SLUICE_SERVER.",
  ],
  WEBHOOK_REFUSED: [
    "A webhook is not signed as it should be, or no secret is configured for its kind of host.",
    "The engine's log says which; `docs/webhooks.md` tells how to set it up.",
  ],
  REVISION_MOVED: [
    "The environment moved on to another revision in the meantime.",
    "Look again at what would happen now, and say so again if it is what you want.",
  ],
  NOT_FOUND: ["There is no such thing.", "`sluice status` lists what there is."],
  USAGE: ["The command's words are off.", "See --help."],
  INTERNAL: ["Sluice itself is at fault.", "Please report it with the message and the log around it."],
} as const satisfies Record<string, readonly [meaning: string, advice: string]>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** A field that somebody else refused, as the message names it. */
export interface RefusedField {
  /** Dotted path in what was sent: `container.docker.image`. */
  readonly path: string;
  /** The very words of the error's message that speak of it, fit to be shown. */
  readonly words: string;
}

interface SluiceErrorOptions {
  readonly hint?: string;
  readonly cause?: unknown;
  readonly fields?: readonly RefusedField[];
}

/** The one error class. `message` is a sentence for a person, without secrets; `hint` overrides the code's advice. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly fields: readonly RefusedField[];

  constructor(code: ErrorCode, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "SluiceError";
    this.code = code;
    this.hint = options.hint ?? ERROR_CODES[code][1];
    this.fields = options.fields ?? [];
  }
}

/** True for a SluiceError, of one of the given codes where any are given. */
export function isSluiceError(error: unknown, ...codes: ErrorCode[]): error is SluiceError {
  return error instanceof SluiceError && (codes.length === 0 || codes.includes(error.code));
}

/** A sentence for any thrown value; never a stack, never empty. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error))
    return typeof error === "object" ? "something that is no error was thrown" : String(error);
  if (error.message !== "") return error.message;
  // Node reports a refused connection to a name with two addresses as an AggregateError without a message of its own.
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map(messageOf).join("; ");
  return error.name;
}
