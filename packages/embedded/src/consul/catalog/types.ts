/** Consul's own JSON forms of what is in the catalog. */
export interface Node {
  ID: string;
  Node: string;
  Address: string;
  Datacenter: string;
  TaggedAddresses: Record<string, string> | null;
  Meta: Record<string, string> | null;
  CreateIndex: number;
  ModifyIndex: number;
}

export interface Weights {
  Passing: number;
  Warning: number;
}

export type TaggedAddresses = Record<string, { Address: string; Port: number }>;

export interface Service {
  ID: string;
  Service: string;
  Tags: string[];
  Address: string;
  TaggedAddresses?: TaggedAddresses;
  Meta: Record<string, string> | null;
  Port: number;
  Weights: Weights;
  EnableTagOverride: boolean;
  CreateIndex: number;
  ModifyIndex: number;
}

export type CheckStatus = "passing" | "warning" | "critical";

export interface Check {
  Node: string;
  CheckID: string;
  Name: string;
  Status: CheckStatus;
  Notes: string;
  Output: string;
  /** "" for a check of the node. */
  ServiceID: string;
  ServiceName: string;
  ServiceTags: string[];
  /** "ttl", "http", "tcp", or "" for one registered from outside. */
  Type: string;
  Definition: Record<string, never>;
  CreateIndex: number;
  ModifyIndex: number;
}

/** What a registration gives; the catalog adds the indexes. */
export type Unindexed<T> = Omit<T, "CreateIndex" | "ModifyIndex">;
