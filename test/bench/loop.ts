import { loopServers } from "../harness/app-loop.ts";
import type { Bench } from "./bench.ts";
import { measureContainers } from "./loop-containers.ts";
import { measurePushes } from "./loop-push.ts";
import { measureRouter } from "./loop-router.ts";

/** The way from an app's repository to its users, whole and in parts, on real servers. */
export const loopBench: Bench = {
  name: "loop",
  about:
    "app push → first new answer through HAProxy, hop by hop; containers → Consul against one request per container in a row, 200 of them (`--large`: 1,000); catalog → traffic, without and with a reload (`--push`, `--containers`, `--router`: one of them)",
  async run(report, flags) {
    const missing = Object.entries(loopServers()).flatMap(([name, there]) => (there ? [] : [name]));
    if (missing.length > 0)
      throw new Error(`not on this machine: ${missing.join(", ")} (test/servers/install)`);
    const one = ["--push", "--containers", "--router"].find((flag) => flags.has(flag));
    const wanted = (flag: string) => one === undefined || one === flag;
    if (wanted("--push")) await measurePushes(report);
    if (wanted("--containers")) await measureContainers(report, flags.has("--large") ? 1_000 : 200);
    if (wanted("--router")) await measureRouter(report);
  },
};
