import type { CommitId, EnvName, JobKey } from "./ids.ts";
import type { FilePath } from "./path.ts";
import { encodePath } from "./path.ts";

/** Where everything of one environment lives in the KV. Prefixes end with a slash, so that `cfg` never matches `cfg2`. */
export interface KvLayout {
  readonly files: string;
  file(path: FilePath): string;
  readonly revision: string;
  readonly changes: string;
  change(commit: CommitId): string;
  readonly deployment: string;
  readonly statuses: string;
  status(key: JobKey): string;
  readonly inventories: string;
  inventory(key: JobKey): string;
  readonly events: string;
  /** What the image updater remembers of the environment. */
  readonly imageMarks: string;
  /** What is announced of images, by name, for every environment. */
  readonly images: string;
  image(name: string): string;
  /** A control key: `sync`, `prune`, `suspend`. */
  control(name: string): string;
  lock(role: string): string;
}

/** @param prefix as configured, with or without slashes around it: `sluice/`; empty: the top of the KV. */
export function kvLayout(prefix: string, environment: EnvName): KvLayout {
  const top = prefix.replace(/^\/+|\/+$/g, "");
  const above = top === "" ? "" : `${top}/`;
  const root = `${above}${environment}`;
  return {
    files: `${root}/files/`,
    file: (path) => `${root}/files/${path}`,
    revision: `${root}/revision`,
    changes: `${root}/changes/`,
    change: (commit) => `${root}/changes/${commit}`,
    deployment: `${root}/deployment`,
    statuses: `${root}/status/`,
    status: (key) => `${root}/status/${encodePath(key)}`,
    inventories: `${root}/inventory/`,
    inventory: (key) => `${root}/inventory/${encodePath(key)}`,
    events: `${root}/events`,
    imageMarks: `${root}/image-marks`,
    images: `${above}images/`,
    image: (name) => `${above}images/${encodePath(name)}`,
    control: (name) => `${root}/control/${name}`,
    lock: (role) => `${above}locks/${environment}/${role}`,
  };
}
