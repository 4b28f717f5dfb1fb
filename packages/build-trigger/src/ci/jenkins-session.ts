import type { AxiosRequestConfig } from "axios";
import { type CiAnswer, type CiTls, ciConnection, jsonOf } from "./connection.ts";

/** With an API token Jenkins asks for no crumb; with a password it wants one for each session. */
export interface JenkinsAuth {
  readonly username: string;
  /** Read anew for each request, so that a secret can be replaced while the engine runs. */
  readonly secret: () => string;
  readonly kind: "api-token" | "password";
}

export interface JenkinsSession {
  get(path: string, signal: AbortSignal): Promise<CiAnswer>;
  /** As a form. */
  post(path: string, fields: Readonly<Record<string, string>>, signal: AbortSignal): Promise<CiAnswer>;
  /** An absolute address, for people. */
  url(path: string): string;
}

interface Crumb {
  readonly field: string;
  readonly value: string;
  readonly cookie: string;
}

/** @param options.url Jenkins' own address with its path prefix, if it has one. */
export function jenkinsSession(options: {
  readonly url: string;
  readonly auth: JenkinsAuth;
  readonly tls: CiTls;
}): JenkinsSession {
  const base = new URL(options.url.endsWith("/") ? options.url : `${options.url}/`);
  const connection = ciConnection("Jenkins", base, options.tls);
  let crumb: Crumb | undefined;

  // Jenkins answers 403, not 401, to who does not show credentials at once.
  const send = ({ headers = {}, ...request }: AxiosRequestConfig, path: string, signal: AbortSignal) => {
    const { username, secret } = options.auth;
    const authorization = `Basic ${Buffer.from(`${username}:${secret()}`).toString("base64")}`;
    return connection(
      { ...request, url: new URL(path, base).href, headers: { ...headers, authorization } },
      signal,
    );
  };

  /** A crumb is bound to the session it was given in, so its cookie goes with it. */
  async function freshCrumb(signal: AbortSignal): Promise<Crumb | undefined> {
    const answer = await send({ method: "GET" }, "crumbIssuer/api/json", signal);
    if (answer.status !== 200) return undefined; // 404: this Jenkins wants none.
    const { crumbRequestField, crumb: value } = jsonOf<{ crumbRequestField: string; crumb: string }>(
      "Jenkins",
      answer,
    );
    const cookies = answer.headers["set-cookie"] ?? [];
    return { field: crumbRequestField, value, cookie: cookies.map((one) => one.split(";")[0]).join("; ") };
  }

  async function post(path: string, fields: Readonly<Record<string, string>>, signal: AbortSignal) {
    const request = (): AxiosRequestConfig => ({
      method: "POST",
      data: new URLSearchParams(fields).toString(),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        ...(crumb ? { [crumb.field]: crumb.value, cookie: crumb.cookie } : {}),
      },
    });
    if (options.auth.kind === "api-token") return send(request(), path, signal);
    crumb ??= await freshCrumb(signal);
    const answer = await send(request(), path, signal);
    if (answer.status !== 403) return answer;
    // The session it belonged to is over, as after a restart of Jenkins.
    crumb = await freshCrumb(signal);
    return send(request(), path, signal);
  }

  return {
    get: (path, signal) => send({ method: "GET" }, path, signal),
    post,
    url: (path) => new URL(path, base).href,
  };
}
