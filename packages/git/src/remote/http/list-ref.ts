import { type CommitId, SluiceError } from "@sluice/core";
import type { Credential, RemoteAccess } from "../access.ts";
import { ask, type HttpAnswer, wholeBody } from "./http-client.ts";
import { decodePackets, encodePackets, type Packet } from "./pkt-line.ts";
import { redirectedBase } from "./redirect.ts";

export interface RefLister<Found = CommitId | undefined> {
  /** What was asked for: of one ref the commit, undefined where the ref certainly does not exist. */
  list(credential: Credential, signal: AbortSignal): Promise<Found>;
  /** The URL the server answers at, redirections followed. */
  base(): string;
}

const HEADS = "refs/heads/";
const SERVICE = "git-upload-pack";
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_REDIRECTS = 5;

/** Asks an HTTP server for one ref. */
export function refLister(url: string, ref: string, access: RemoteAccess): RefLister {
  return lister(url, ref, access, (packets) => refIn(packets, ref));
}

/** Asks an HTTP server for the names of all branches, without `refs/heads/`. */
export function branchLister(url: string, access: RemoteAccess): RefLister<readonly string[]> {
  return lister(url, HEADS, access, branchesIn);
}

/**
 * Asks for the refs that begin with a prefix, as `git ls-remote` does but without a process: a question of a few bytes once it
 * is known that the server speaks version 2 of the protocol (git-scm.com/docs/protocol-v2).
 * @param read takes what it wants from an answer, which may name other refs too.
 */
function lister<Found>(
  url: string,
  prefix: string,
  access: RemoteAccess,
  read: (packets: readonly Packet[]) => Found,
): RefLister<Found> {
  let base = url.replace(/\/+$/, "");
  let version2 = false;

  async function discover(credential: Credential, signal: AbortSignal): Promise<Packet[]> {
    for (let hops = 0; hops <= MOST_REDIRECTS; hops++) {
      const address = `${base}/info/refs?service=${SERVICE}`;
      const answer = await ask(
        { url: address, method: "GET", headers: headersOf(credential), signal },
        access,
      );
      const next = redirectedBase(answer, address, credential);
      if (next === undefined) return advertisement(await bodyOf(answer, "advertisement", base));
      answer.body.destroy();
      base = next;
    }
    throw new SluiceError("GIT_FAILED", `the server sends us on and on, last to ${base}`);
  }
  async function lsRefs(credential: Credential, signal: AbortSignal): Promise<Found> {
    const body = encodePackets(["command=ls-refs\n", "delimiter", `ref-prefix ${prefix}\n`, "flush"]);
    const headers = { ...headersOf(credential), "content-type": `application/x-${SERVICE}-request` };
    const question = { url: `${base}/${SERVICE}`, method: "POST", headers, signal } as const;
    const answer = await ask({ ...question, body: Buffer.from(body) }, access);
    return read(decodePackets(await bodyOf(answer, "result", base)));
  }

  return {
    base: () => base,
    async list(credential, signal) {
      if (version2) {
        try {
          return await lsRefs(credential, signal);
        } catch (error) {
          // The server may have moved, or be another than before; who it is, is asked again.
          if (signal.aborted || (error instanceof SluiceError && error.code === "GIT_DENIED")) throw error;
          base = url.replace(/\/+$/, "");
        }
      }
      const packets = await discover(credential, signal);
      version2 = packets[0] !== "flush" && packets[0]?.toString("latin1").trimEnd() === "version 2";
      return version2 ? lsRefs(credential, signal) : read(packets);
    },
  };
}

function headersOf({ authorization }: Credential): Record<string, string> {
  const known = authorization === undefined ? {} : { authorization };
  return { "user-agent": "git/sluice", accept: "*/*", "git-protocol": "version=2", ...known };
}

async function bodyOf(answer: HttpAnswer, kind: "advertisement" | "result", base: string): Promise<Buffer> {
  const { status, headers } = answer;
  if (status === 200 && headers["content-type"] === `application/x-${SERVICE}-${kind}`)
    return wholeBody(answer, MOST_BYTES);
  answer.body.destroy();
  if (status === 401 || status === 403)
    throw new SluiceError(
      "GIT_DENIED",
      `${base} refused ${status === 401 ? "the credentials" : "access"} (${status})`,
    );
  if (status === 404)
    throw new SluiceError(
      "GIT_FAILED",
      `there is no repository at ${base}, or these credentials may not see it (404)`,
    );
  if (status !== 200) throw new SluiceError("GIT_FAILED", `${base} answered ${status}`);
  throw new SluiceError("GIT_FAILED", `what answers at ${base} does not speak Git's smart HTTP protocol`);
}

/** Without the line that names the service, which version 2 may leave out. */
function advertisement(bytes: Buffer): Packet[] {
  const packets = decodePackets(bytes);
  const [first] = packets;
  const named = Buffer.isBuffer(first) && first.toString("latin1").startsWith("# service=");
  return named ? packets.slice(2) : packets;
}

function refIn(packets: readonly Packet[], ref: string): CommitId | undefined {
  const id = refsIn(packets).find(([, name]) => name === ref)?.[0];
  if (id === undefined || /^[0-9a-f]{40}$/.test(id)) return id as CommitId | undefined;
  throw new SluiceError("GIT_FAILED", `the remote's ${ref} has an id that is not supported`);
}

function branchesIn(packets: readonly Packet[]): readonly string[] {
  return refsIn(packets).flatMap(([, name]) => (name.startsWith(HEADS) ? [name.slice(HEADS.length)] : []));
}

/** `<id> SP <name>`, and after the name a NUL (version 0) or a space (version 2) and what else there is to say. */
function refsIn(packets: readonly Packet[]): readonly (readonly [id: string, name: string])[] {
  return packets.flatMap((packet) => {
    if (!Buffer.isBuffer(packet)) return [];
    const line = packet.toString("utf8").replace(/\n$/, "");
    if (line.startsWith("ERR "))
      throw new SluiceError("GIT_FAILED", `the server says: ${line.slice(4, 300)}`);
    const [, id, name] = /^(\S+) ([^\0 ]+)/.exec(line) ?? [];
    return id === undefined || name === undefined ? [] : [[id, name] as const];
  });
}
