import { envName, kvLayout, type SluiceEvent } from "@sluice/core";
import { type MemoryKv, memoryKv } from "@sluice/core/testing";
import { beforeEach, describe, expect, it } from "vitest";
import { cursorText, parseCursor, START } from "./cursor.ts";
import { type LoggedNews, readLogs, watchLogs } from "./logged-events.ts";

const environment = { layout: kvLayout("sluice", envName("shop")) };

let kv: MemoryKv;
beforeEach(() => {
  kv = memoryKv();
});

function log(role: "mirror" | "deployer", from: number, to: number) {
  const events = Array.from({ length: to - from + 1 }, (_, at) => ({
    seq: from + at,
    event: {
      type: `${role}.${from + at}`,
      environment: "shop",
      at: `2026-01-01T00:00:${String(from + at).padStart(2, "0")}Z`,
    },
  }));
  kv.set(`${environment.layout.events}/${role}`, JSON.stringify(events));
}

function types(news: readonly LoggedNews[]): string[] {
  return news.map(
    ({ event, gap }) => (event as SluiceEvent | undefined)?.type ?? `gap ${gap?.role} ${gap?.missed}`,
  );
}

describe("the logs of an environment", () => {
  it("are read as one, by time, and where reading ended is where it goes on", async () => {
    log("mirror", 1, 3);
    log("deployer", 2, 2);
    const first = await readLogs(kv, environment, START);
    expect(types(first.news)).toEqual(["mirror.1", "mirror.2", "deployer.2", "mirror.3"]);
    expect(first.cursor).toEqual({ mirror: 3, deployer: 2 });
    const again = parseCursor(cursorText(first.news[2]?.cursor ?? START)) ?? START;
    expect(types((await readLogs(kv, environment, again)).news)).toEqual(["mirror.3"]);
  });

  it("tell how many events were pushed out before they could be read", async () => {
    log("deployer", 8, 9);
    const { news } = await readLogs(kv, environment, { mirror: 0, deployer: 4 });
    expect(types(news)).toEqual(["gap deployer 3", "deployer.8", "deployer.9"]);
  });

  it("are read from their beginning where somebody deleted them", async () => {
    log("deployer", 1, 1);
    expect(types((await readLogs(kv, environment, { mirror: 0, deployer: 40 })).news)).toEqual([
      "deployer.1",
    ]);
  });

  it("can be watched: what is there, then what comes, each once", async () => {
    log("deployer", 1, 2);
    const stopping = new AbortController();
    const seen: string[] = [];
    const after = { mirror: 0, deployer: 1 };
    for await (const one of watchLogs(kv, environment, after, stopping.signal)) {
      seen.push(...types([one]));
      if (seen.length === 1) log("deployer", 1, 4);
      if (seen.length === 3) log("mirror", 1, 1);
      if (seen.length === 4) stopping.abort();
    }
    expect(seen).toEqual(["deployer.2", "deployer.3", "deployer.4", "mirror.1"]);
  });
});

it.each(["", "mirror:1", "mirror:x,deployer:1", "mirror:1,deployer:2,x"])("%j is no cursor", (text) => {
  expect(parseCursor(text)).toBe(undefined);
});
