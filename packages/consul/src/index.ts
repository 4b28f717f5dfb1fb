export { type ConsulKv, type ConsulKvOptions, consulKv } from "./consul-kv.ts";
