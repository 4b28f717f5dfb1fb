import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { housekeeping } from "./housekeeping.ts";

describe("tidying a clone up", () => {
  let clone: string;
  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), "sluice-tidy-"));
    mkdirSync(join(clone, "objects", "pack"), { recursive: true });
  });
  afterEach(() => rmSync(clone, { recursive: true }));

  function packs(count: number): void {
    for (let at = 0; at < count; at++) writeFileSync(join(clone, "objects", "pack", `pack-${at}.pack`), "");
  }

  it("waits until there are many packs, and is done once at a time", async () => {
    const collected: string[] = [];
    let release = () => {};
    const tidying = housekeeping(async (folder) => {
      collected.push(folder);
      await new Promise<void>((resolve) => (release = resolve));
    });
    packs(40);
    tidying.afterFetch(clone);
    await new Promise((resolve) => setImmediate(resolve));
    packs(41);
    await expect
      .poll(() => {
        tidying.afterFetch(clone);
        return collected;
      })
      .toEqual([clone]);
    tidying.afterFetch(clone);
    release();
    await tidying.stop();
    expect(collected).toEqual([clone]);
  });

  it("ends when the source does, and never fails it", async () => {
    packs(41);
    let aborted = false;
    const tidying = housekeeping(
      (_folder, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            aborted = true;
            reject(new Error("ended"));
          });
          void tidying.stop();
        }),
    );
    tidying.afterFetch(clone);
    await expect.poll(() => aborted).toBe(true);
    await tidying.stop();
    tidying.afterFetch(join(clone, "nowhere"));
  });
});
