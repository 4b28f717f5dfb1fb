import { expect, it } from "vitest";
import { readServerStates } from "./server-states.ts";

const HEADER =
  "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port";

const line = (name: string, admin: number) =>
  `4 web 1 ${name} 127.0.0.1 2 ${admin} 1 1 12 6 3 4 6 0 0 0 - 8080 - 0 0 - - 0`;

it.each([
  [0, "ready"],
  [1, "maint"],
  [5, "maint"],
  // Made ready, though the file it started with has it disabled.
  [4, "ready"],
  [8, "drain"],
  [12, "drain"],
  [13, "maint"],
  [32, "maint"],
  [64, "maint"],
])("a server whose bits are %i is %s", (admin, state) => {
  const found = readServerStates(`${HEADER}\n${line("s1", admin)}\n\n`);
  expect(found).toEqual(
    new Map([["web", [{ name: "s1", address: "127.0.0.1", port: 8080, weight: 1, state }]]]),
  );
});

it("an answer that is no table is an error", () => {
  expect(() => readServerStates("Permission denied\n")).toThrow("does not tell the state of its servers");
});
