/** What a provider's webhook says: at most a hint that a branch moved. */
export type Notice =
  | { readonly kind: "ping" }
  /** `why` is a sentence: what it was, and why nothing follows from it. */
  | { readonly kind: "ignored"; readonly why: string }
  | {
      readonly kind: "push";
      /** Every address the payload gives for the repository: a clone URL over http, over ssh, a web page. */
      readonly repositories: readonly string[];
      /** Where the payload may lack addresses: the end of the repository's path, `project/name`. */
      readonly path?: string;
      readonly updates: readonly RefUpdate[];
    };

export interface RefUpdate {
  /** In full: `refs/heads/main`. */
  readonly ref: string;
  readonly deleted: boolean;
}

/** The one value of a header, by its lower-case name; undefined: it is absent. @throws HeaderRepeated */
export type HeaderReader = (name: string) => string | undefined;

/** What a request's headers claim before its body is read; `refused` is for the log, never for the sender. */
export type Claim = { readonly refused: string } | { readonly proves: (body: Uint8Array) => boolean };

/** What the name of a provider's route and its place in the configuration are. */
export type ProviderName = "github" | "gitlab" | "gitea" | "bitbucket" | "bitbucket-server";

/** How one kind of Git host signs and words its webhooks. Pure: no clock, no network. */
export interface Provider {
  readonly name: ProviderName;
  /** Media types of the bodies that are read, without parameters. */
  readonly mediaTypes: readonly string[];
  /**
   * Looks for a signature made with one of the secrets, which are never empty.
   * @param now milliseconds since the epoch, for signatures that hold a time.
   */
  claim(header: HeaderReader, secrets: readonly string[], now: number): Claim;
  /** The id that a repeated delivery has again; undefined where the provider gives none. */
  delivery(header: HeaderReader): string | undefined;
  /**
   * @param payload the body's JSON. @throws ZodError where it is not what the provider sends.
   */
  read(header: HeaderReader, payload: unknown): Notice;
}
