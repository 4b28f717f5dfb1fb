import { SluiceError } from "@sluice/core";
import type { Credential } from "../access.ts";
import type { HttpAnswer } from "./http-client.ts";

/**
 * Where an answer to `<base>/info/refs?…` sends us on to, as a base; undefined where it does not.
 * @throws GIT_DENIED where a credential would have to go to another server than the one it is meant for.
 */
export function redirectedBase(
  { status, headers }: HttpAnswer,
  asked: string,
  credential: Credential,
): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return undefined;
  const { location = "" } = headers;
  if (!URL.canParse(location, asked))
    throw new SluiceError("GIT_FAILED", "the server sends us on to nowhere");
  const [from, to] = [new URL(asked), new URL(location, asked)];
  const suffix = /\/info\/refs\?service=git-upload-pack$/;
  if (!/^https?:$/.test(to.protocol) || !suffix.test(to.pathname + to.search))
    throw new SluiceError(
      "GIT_FAILED",
      `the server sends us on to ${to.origin}, where no repository is named`,
    );
  to.username = "";
  to.password = "";
  const base = to.href.replace(suffix, "");
  if (credential.authorization === undefined || mayCarry(from, to)) return base;
  throw new SluiceError(
    "GIT_DENIED",
    `the server sends us on to ${base}, which is not given the credentials`,
    {
      hint: "If that address is right, write it as `source.repository`.",
    },
  );
}

/** The same server, or the same name by https after http. */
function mayCarry(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  const upgraded = from.protocol === "http:" && to.protocol === "https:";
  return upgraded && from.hostname === to.hostname && from.port === "" && to.port === "";
}
