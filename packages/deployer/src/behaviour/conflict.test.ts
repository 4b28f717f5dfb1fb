import { SluiceError } from "@sluice/core";
import { afterEach, describe, expect, it } from "vitest";
import { job, type World, world } from "../testing/world.ts";

let w: World;
afterEach(() => w.stop());

describe("a scheduler", () => {
  it("that made a write whose answer was lost is not sent it again", async () => {
    w = world();
    const { apply } = w.apps;
    let lost = 0;
    w.apps.apply = async (request, signal) => {
      const answer = await apply(request, signal);
      if (lost++ === 0) throw new SluiceError("SCHEDULER_UNREACHABLE", "connection reset");
      return answer;
    };
    w.mirror.push({ "apps/web.yaml": job("web") });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.apps.writes.length).toBe(1);
  });

  it("whose job moved between plan and write gets a write planned against what is there", async () => {
    w = world();
    w.mirror.push({ "apps/web.yaml": job("web", { image: "1" }) });
    w.start();
    await w.until(() => w.deployment()?.state === "healthy");
    let moved = false;
    w.apps.fault = (call) => {
      if (call === "apply" && !moved) {
        moved = true;
        w.apps.put("web", { id: "web", image: "by hand" }, "sluice-test");
      }
      return undefined;
    };
    w.mirror.push({ "apps/web.yaml": job("web", { image: "2" }) });
    await w.until(() => w.deployment()?.state === "healthy");
    expect(w.apps.jobs.get("web" as never)?.spec).toEqual({ id: "web", image: "2" });
  });

  it("whose job became somebody else's between plan and write keeps it", async () => {
    w = world();
    w.mirror.push({ "apps/web.yaml": job("web") });
    let taken = false;
    w.apps.fault = (call) => {
      if (call === "apply" && !taken) {
        taken = true;
        w.apps.put("web", { id: "web", foreign: true });
      }
      return undefined;
    };
    w.start();
    await w.until(() => w.status("apps/web")?.reason === "NotOwned");
    await w.round();
    expect(w.apps.jobs.get("web" as never)?.spec).toEqual({ id: "web", foreign: true });
  });
});
