export { consulVersion } from "./agent-version.ts";
export { type ConsulCatalog, type ConsulCatalogOptions, consulCatalog } from "./catalog/consul-catalog.ts";
export type { ConnectionOptions } from "./connection-options.ts";
export { type ConsulKv, type ConsulKvOptions, consulKv } from "./consul-kv.ts";
