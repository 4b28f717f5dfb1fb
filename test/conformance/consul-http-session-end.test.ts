import { setTimeout as delay } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { describeConsuls, freshPrefix, json } from "./consul-http-target.ts";

describeConsuls("sessions that end by themselves", (target) => {
  async function create(wanted: object): Promise<string> {
    return json<{ ID: string }>(await target().call("PUT", "/v1/session/create", JSON.stringify(wanted))).ID;
  }
  const info = async (id: string) => json<unknown[]>(await target().call("GET", `/v1/session/info/${id}`));

  it("ends a session that is not renewed, not before its TTL", async () => {
    const key = `${freshPrefix()}lock`;
    const id = await create({ TTL: "10s", LockDelay: "1ms", Behavior: "delete" });
    await target().call("PUT", `/v1/kv/${key}?acquire=${id}`, "1");
    const isHeld = async () => (await target().call("GET", `/v1/kv/${key}`)).status === 200;
    const since = Date.now();
    while ((await isHeld()) && Date.now() - since < 25_000) await delay(250);
    expect(await isHeld()).toBe(false);
    expect(Date.now() - since).toBeGreaterThan(9_000);
    expect(await info(id)).toEqual([]);
  });

  it("ends the session when a check it hangs on turns critical", async () => {
    const CheckID = `check-${freshPrefix().slice(0, -1)}`;
    await target().call(
      "PUT",
      "/v1/agent/check/register",
      JSON.stringify({ ID: CheckID, Name: "c", TTL: "1h", Status: "passing" }),
    );
    // The agent of a real Consul tells its servers of the check within moments.
    const id = await vi.waitFor(() => create({ NodeChecks: [CheckID] }), { timeout: 10_000 });
    expect(await info(id)).toHaveLength(1);
    await target().call("PUT", `/v1/agent/check/fail/${CheckID}`);
    await vi.waitFor(async () => expect(await info(id)).toEqual([]), { timeout: 10_000 });
    const refused = await target().call(
      "PUT",
      "/v1/session/create",
      JSON.stringify({ NodeChecks: [CheckID] }),
    );
    expect([refused.status, refused.text]).toEqual([500, `Check '${CheckID}' is in critical state`]);
    await target().call("PUT", `/v1/agent/check/deregister/${CheckID}`);
  });
});
