import {
  blobId,
  decodeRecord,
  EMPTY_DIGEST,
  envName,
  type FilePath,
  kvLayout,
  type RevisionMarker,
  toggleFiles,
} from "@sluice/core";
import type { Files } from "./bare-repo.ts";

/** An environment's marker and files as Consul held them at one moment. */
export interface Mirrored {
  readonly marker: RevisionMarker;
  /** The commit the marker names. */
  readonly commit: string;
  readonly files: Files;
  /** True where the marker says "whole": then its digest must be that of the files. */
  readonly synced: boolean;
  readonly digestHolds: boolean;
}

interface Row {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
  readonly Session?: string;
}

const DEADLINE_MS = 5_000;

/** Reads marker and files in one transaction, so that it is one moment; undefined before the first revision. */
export async function readMirrored(
  address: string,
  environment: string,
  token = "",
): Promise<Mirrored | undefined> {
  const layout = kvLayout("sluice", envName(environment));
  const operations = [
    { KV: { Verb: "get", Key: layout.revision } },
    { KV: { Verb: "get-tree", Key: layout.files } },
  ];
  const answer = await fetch(`${address}/v1/txn`, {
    method: "PUT",
    body: JSON.stringify(operations),
    headers: token === "" ? {} : { "x-consul-token": token },
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (answer.status === 409) return undefined;
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  const { Results } = (await answer.json()) as { Results: { KV: Row }[] };
  const [head, ...rows] = Results.map(({ KV }) => ({
    path: KV.Key.slice(layout.files.length) as FilePath,
    key: KV.Key,
    value: Buffer.from(KV.Value ?? "", "base64"),
    modifyIndex: String(KV.ModifyIndex),
  }));
  if (!head) return undefined;
  const marker = decodeRecord("marker", head);
  const digest = toggleFiles(
    EMPTY_DIGEST,
    rows.map(({ path, value }) => ({ path, oid: blobId(value) })),
  );
  return {
    marker,
    commit: marker.revision.split(":")[1] ?? "",
    files: Object.fromEntries(rows.map(({ path, value }) => [path, value.toString()])),
    synced: marker.state === "synced",
    digestHolds: marker.digest === digest && marker.files === rows.length,
  };
}

/** Every key under `sluice/`: value, index and holder, by key. `mode` as Consul's query parameter. */
export async function everything(
  address: string,
  mode: "consistent" | "stale" = "consistent",
): Promise<Readonly<Record<string, string>>> {
  const answer = await fetch(`${address}/v1/kv/sluice/?recurse&${mode}`, {
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (answer.status === 404) return {};
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  const rows = (await answer.json()) as Row[];
  return Object.fromEntries(
    rows.map(({ Key, Value, ModifyIndex, Session }) => [Key, `${ModifyIndex} ${Session ?? "-"} ${Value}`]),
  );
}
