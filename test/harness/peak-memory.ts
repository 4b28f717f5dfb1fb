import { readFileSync } from "node:fs";

/** The most memory a process ever had resident, in MiB (proc(5)). */
export function peakMib(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Number(kib) / 1024;
}
