import { SluiceError } from "@sluice/core";
import { canonicalAddress } from "../route.ts";
import type { RunningSlot } from "./balancer.ts";

/**
 * Bits of `srv_admin_state` (https://docs.haproxy.org/2.6/management.html, `show servers state`). 0x04 says that the file had the
 * server disabled; it stays set when the server is made ready.
 */
const MAINTENANCE = 0x01 | 0x02 | 0x20 | 0x40;
const DRAIN = 0x08 | 0x10;

/** Reads the answer to `show servers state`, by the names of its columns. @throws BALANCER_FAILED where it is none. */
export function readServerStates(answer: string): ReadonlyMap<string, readonly RunningSlot[]> {
  const lines = answer.split("\n");
  const header = lines
    .find((line) => line.startsWith("# be_id"))
    ?.slice(2)
    .split(" ");
  if (!header) throw new SluiceError("BALANCER_FAILED", "HAProxy does not tell the state of its servers");
  const found = new Map<string, RunningSlot[]>();
  for (const line of lines) {
    const cells = line.trim().split(" ");
    if (line.startsWith("#") || cells.length < header.length) continue;
    const cell = (name: string) => cells[header.indexOf(name)] ?? "";
    const admin = Number(cell("srv_admin_state"));
    const backend = cell("be_name");
    const slots = found.get(backend) ?? [];
    found.set(backend, slots);
    slots.push({
      name: cell("srv_name"),
      address: canonicalAddress(cell("srv_addr")) ?? cell("srv_addr"),
      port: Number(cell("srv_port")),
      weight: Number(cell("srv_uweight")),
      state: admin & MAINTENANCE ? "maint" : admin & DRAIN ? "drain" : "ready",
    });
  }
  return found;
}
