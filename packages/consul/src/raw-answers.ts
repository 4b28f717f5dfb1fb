/** A key as Consul's JSON has it; `Value` is base64 in transactions and a Buffer where the client decoded it. */
export interface RawEntry {
  readonly Key: string;
  readonly Value: string | Uint8Array | null;
  readonly ModifyIndex: number;
  readonly Session?: string;
}

/** One operation of `PUT /v1/txn`; `Value` is base64. */
export interface RawOp {
  readonly KV: {
    readonly Verb: string;
    readonly Key: string;
    readonly Value?: string;
    readonly Index?: number;
    readonly Session?: string;
  };
}

export interface RawTxn {
  readonly Results?: readonly { readonly KV?: RawEntry }[] | null;
  readonly Errors?: readonly { readonly OpIndex: number; readonly What: string }[] | null;
}

/** What a query needs to wait for a change. */
export interface Blocking {
  readonly consistent?: true;
  readonly index?: string;
  readonly wait?: string;
}

export interface RawAgentService {
  readonly ID: string;
  readonly Service: string;
  readonly Tags?: readonly string[] | null;
  readonly Meta?: Readonly<Record<string, string>> | null;
  readonly Address: string;
  readonly Port: number;
}

export interface RawCheck {
  readonly CheckID: string;
  readonly ServiceID: string;
  readonly Status: string;
  readonly Output: string;
}

export interface RawRegistration {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly checks: readonly object[];
}

export interface RawInstance {
  readonly Node: { readonly Node: string; readonly Address: string };
  readonly Service: RawAgentService & { readonly Weights?: { readonly Passing?: number } | null };
  readonly Checks: readonly RawCheck[];
}
