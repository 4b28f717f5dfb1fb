import { SluiceError } from "@sluice/core";
import { TRUST_HINT } from "./http/http-client.ts";

const DENIED =
  /Authentication failed|could not read (Username|Password)|returned error: 40[13]|HTTP (Basic|40[13])|Permission denied|Access denied|bad permissions|terminal prompts disabled/i;
const HOST_KEY = /Host key verification failed|host key is known|HOST IDENTIFICATION HAS CHANGED/i;
const CERTIFICATE = /certificate|CAfile|SSL|GnuTLS/i;
const REDIRECTED = /returned error: 30[12378]/;

/** A failure of git at a remote, as one sentence that says what to do about it; git's own words follow. */
export function explained(error: unknown): unknown {
  if (!(error instanceof SluiceError) || error.code !== "GIT_FAILED") return error;
  const { message } = error;
  const with_ = (sentence: string, hint?: string, code: "GIT_FAILED" | "GIT_DENIED" = "GIT_FAILED") =>
    new SluiceError(code, `${sentence} (${message})`, { cause: error, ...(hint ? { hint } : {}) });
  if (HOST_KEY.test(message))
    return with_(
      "the SSH key of the host is not among the known ones",
      "Put the host's key into the file of `source.ssh.knownHostsFile`, or into the user's known_hosts.",
    );
  if (DENIED.test(message)) return with_("the server refused the credentials", undefined, "GIT_DENIED");
  if (REDIRECTED.test(message))
    return with_(
      "the server sends us on to another address, which is not given the credentials",
      "Write the repository's new address as `source.repository`.",
    );
  if (CERTIFICATE.test(message)) return with_("the server's certificate is not trusted", TRUST_HINT);
  return error;
}
