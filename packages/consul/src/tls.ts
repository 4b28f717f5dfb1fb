import type { Failure } from "./failure.ts";

/** PEM contents, as far as the configuration names files. */
export interface TlsOptions {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

const UNTRUSTED = /unable to (verify|get) .*(certificate|issuer)|self[- ]signed certificate/i;
const CLIENT_REFUSED = /alert (bad certificate|certificate required|unknown ca|certificate unknown)/i;
const CUT_OFF = /ECONNRESET|EPIPE|socket hang up/i;

/** OpenSSL's words in ours: what is the matter, and which setting is about it. */
export function explainTls(failure: Failure, { ca, cert }: TlsOptions, secure: boolean): Failure {
  const { status, text } = failure;
  if (!secure || status !== undefined) return failure;
  if (UNTRUSTED.test(text)) {
    const why = ca
      ? "its certificate is not from the authority in consul.ca"
      : "its certificate is not from an authority this machine trusts; consul.ca can name one";
    return { status, text: why };
  }
  const wanted = "it wants a client certificate; consul.cert and consul.key name one";
  if (CLIENT_REFUSED.test(text))
    return { status, text: cert ? "it does not take the client certificate in consul.cert" : wanted };
  // Where the alert and the end of the connection race each other, only the end is seen.
  if (CUT_OFF.test(text) && !cert) return { status, text: `${text}; perhaps ${wanted}` };
  return failure;
}
