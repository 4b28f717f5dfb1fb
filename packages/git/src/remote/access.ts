import { readFile } from "node:fs/promises";
import { messageOf, SluiceError } from "@sluice/core";
import type { RemoteAddress } from "./address.ts";

/**
 * How a remote repository is reached. Everything secret is named by its file and read anew for each contact, so that a secret
 * that was replaced needs no restart.
 */
export interface RemoteAccess {
  readonly auth?: PasswordAuth | TokenAuth;
  /** File with the authorities to trust in place of the public ones, PEM. */
  readonly ca?: string;
  /** Files with the client's certificate and its key, PEM. */
  readonly cert?: string;
  readonly key?: string;
  readonly ssh?: SshAccess;
}

export interface PasswordAuth {
  readonly username: string;
  readonly passwordFile: string;
}

export interface TokenAuth {
  readonly tokenFile: string;
  /** `basic` (default): as a password of the user `x-access-token`, which hosts of Git ignore; `bearer`: as it is. */
  readonly scheme?: "basic" | "bearer";
}

export interface SshAccess {
  /** File with the private key. Default: what ssh finds by itself. */
  readonly keyFile?: string;
  /** File with the keys of the hosts that may be talked to. Default: the user's and the system's. */
  readonly knownHostsFile?: string;
}

/** What proves to an HTTP server who asks. */
export interface Credential {
  /** The value of the header `Authorization`; undefined: nothing is sent. */
  readonly authorization: string | undefined;
  /** What must appear in no message. */
  readonly secrets: readonly string[];
}

const NONE: Credential = { authorization: undefined, secrets: [] };
const TOKEN_USER = "x-access-token";

/**
 * The credential as it is now: of the configuration, else of the URL.
 * @throws GIT_DENIED naming the file that cannot be read or used.
 */
export async function readCredential(
  { credentials }: RemoteAddress,
  auth: RemoteAccess["auth"],
): Promise<Credential> {
  if (auth === undefined)
    return credentials ? basicCredential(credentials.username, credentials.password) : NONE;
  if ("passwordFile" in auth) return basicCredential(auth.username, await readSecretFile(auth.passwordFile));
  const token = await readSecretFile(auth.tokenFile);
  if (auth.scheme === "bearer") return { authorization: `Bearer ${token}`, secrets: [token] };
  return basicCredential(TOKEN_USER, token);
}

function basicCredential(username: string, password: string): Credential {
  const both = Buffer.from(`${username}:${password}`).toString("base64");
  const secrets = [password, encodeURIComponent(password), both].filter((secret) => secret !== "");
  return { authorization: `Basic ${both}`, secrets };
}

async function readSecretFile(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new SluiceError("GIT_DENIED", `the secret cannot be read: ${messageOf(cause)}`, { cause });
  }
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") throw new SluiceError("GIT_DENIED", `the file ${file} holds no secret`);
  // A line end in a header would let the file say more than the secret.
  if (/\p{Cc}/u.test(secret))
    throw new SluiceError(
      "GIT_DENIED",
      `the secret in ${file} has more than one line, or a control character`,
    );
  return secret;
}
