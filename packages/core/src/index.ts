export { type Clock, systemClock } from "./ports/clock.ts";
export { type ManualClock, manualClock } from "./testing/manual-clock.ts";
