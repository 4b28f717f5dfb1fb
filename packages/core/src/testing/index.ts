export { type ManualClock, manualClock } from "./manual-clock.ts";
export { type MemoryCatalog, memoryCatalog } from "./memory-catalog.ts";
export { type MemoryKv, memoryKv } from "./memory-kv.ts";
export { type MemoryScheduler, memoryScheduler } from "./memory-scheduler.ts";
export { type MemorySource, memorySource } from "./memory-source.ts";
export { type RecordingSink, recordingSink } from "./recording-sink.ts";
