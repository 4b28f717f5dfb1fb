import { kvConformance } from "./kv-conformance.ts";
import { memoryKv } from "./memory-kv.ts";

kvConformance("memoryKv", async () => {
  const kv = memoryKv();
  return { kv, another: kv, stop: async () => undefined };
});
