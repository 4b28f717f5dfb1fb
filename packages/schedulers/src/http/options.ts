/** How to reach a scheduler over HTTP. */
export interface HttpOptions {
  /** Base addresses, tried in order: `http://marathon-1:8080`. A path in front of the API's is kept. */
  readonly addresses: readonly string[];
  /** Basic authentication, or a DC/OS token. */
  readonly auth?: { readonly username: string; readonly password: string } | { readonly token: string };
  /** PEM texts. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** How long one answer may take; 30 s unless told. */
  readonly timeoutMs?: number;
  /** Requests in flight at once; 8 unless told. */
  readonly concurrency?: number;
}

/** The value of the header `Authorization`, if any. */
export function authorization({ auth }: HttpOptions): string | undefined {
  if (!auth) return undefined;
  if ("token" in auth) return `token=${auth.token}`;
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
}

/** The addresses without trailing slashes. */
export function baseAddresses({ addresses }: HttpOptions): readonly string[] {
  return addresses.map((address) => address.replace(/\/+$/, ""));
}
