/** Basic authentication, or a DC/OS token. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly token: string };

/** How to reach a scheduler over HTTP. */
export interface HttpOptions {
  /** Base addresses, tried in order: `http://marathon-1:8080`. A path in front of the API's is kept. */
  readonly addresses: readonly string[];
  /** A function is asked for every request, so that a changed file counts from the next one on. */
  readonly auth?: Credentials | (() => Credentials);
  /** PEM texts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** How long one answer may take; 30 s unless told. */
  readonly timeoutMs?: number;
  /** Requests in flight at once; 8 unless told. */
  readonly concurrency?: number;
}

/** The value of the header `Authorization`, if any. @throws what the function `auth` throws. */
export function authorization({ auth }: HttpOptions): string | undefined {
  if (!auth) return undefined;
  const credentials = typeof auth === "function" ? auth() : auth;
  if ("token" in credentials) return `token=${credentials.token}`;
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64")}`;
}

/** The addresses without trailing slashes. */
export function baseAddresses({ addresses }: HttpOptions): readonly string[] {
  return addresses.map((address) => address.replace(/\/+$/, ""));
}
