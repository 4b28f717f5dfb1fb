import { SluiceError } from "@sluice/core";
import { readConfigured, tokenSource } from "./token.ts";
import type { TransportOptions } from "./transport.ts";

/** How Consul is reached. */
export interface ConnectionOptions {
  /** `http(s)://host:port`. */
  readonly address: string;
  /** ACL token. */
  readonly token?: string;
  /** A file that holds the token; read again when Consul refuses it, so that it can be renewed from outside. */
  readonly tokenFile?: string;
  readonly datacenter?: string;
  /** PEM files for TLS: the authority, and this client's own certificate and key. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Milliseconds for every request that is not held open; default 10,000. */
  readonly timeoutMs?: number;
  /** Most connections for such requests; default 16. Every watch and every lock holds one more. */
  readonly connections?: number;
}

/** @throws CONFIG_INVALID for an address or a file that cannot be used. */
export function transportOptions(options: ConnectionOptions): TransportOptions {
  const url = URL.canParse(options.address) ? new URL(options.address) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw new SluiceError(
      "CONFIG_INVALID",
      "consul.address is not an address such as http://127.0.0.1:8500.",
    );
  const tls = (["ca", "cert", "key"] as const).flatMap((name) => {
    const file = options[name];
    return file === undefined ? [] : [[name, readConfigured(name, file)]];
  });
  return {
    address: url.href.replace(/\/+$/, ""),
    host: url.host,
    token: tokenSource(options.token, options.tokenFile),
    datacenter: options.datacenter,
    tls: Object.fromEntries(tls),
    timeoutMs: options.timeoutMs ?? 10_000,
    connections: options.connections ?? 16,
  };
}
