import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { chronosFixture } from "./chronos-fixture.ts";
import { embeddedChronos } from "./embedded-chronos.ts";

const fixture = chronosFixture();
afterEach(fixture.clean);

describe("starting", () => {
  it("says in one sentence that the data folder cannot be used", async () => {
    const file = join(await fixture.folder(), "file");
    await writeFile(file, "");
    await expect(embeddedChronos({ dataDir: join(file, "sub") })).rejects.toThrow(
      /^Chronos cannot start: The data folder .*file\/sub cannot be written: ENOTDIR/,
    );
  });

  it("says in one sentence that the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const failed = embeddedChronos({ dataDir: await fixture.folder(), port });
    await expect(failed).rejects.toThrow(`Chronos cannot listen on 127.0.0.1:${port}: the port is taken`);
    await new Promise((resolve) => other.close(resolve));
  });
});
