import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type EmbeddedMarathonOptions, embeddedMarathon } from "@sluice/embedded";
import { expect, it } from "vitest";
import { describeWithServer } from "../servers/available.ts";

/** Debian's own Python, which is the one that Debian's packages are for. */
const PYTHON = "/usr/bin/python3";
const SCRIPT = fileURLToPath(new URL("./python-marathon.py", import.meta.url));

function hasPythonMarathon(): boolean {
  return spawnSync(PYTHON, ["-c", "import marathon"], { stdio: "ignore", timeout: 10_000 }).status === 0;
}

const LOCKED =
  "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";

/** What the script sees, step by step; `wrong`, `queue` and `subscriptions` differ between versions. */
function expected(version: string, port: number, differing: Record<string, unknown>) {
  return {
    ping: '"pong"',
    info: ["marathon", version, true, port],
    leader: { leader: `127.0.0.1:${port}` },
    create: ["/shop/web", 1, 0, 1],
    "create again": ["ConflictError", 409, "An app with id [/shop/web] already exists."],
    healthy: [1, 1, "TASK_RUNNING", true],
    list: ["/shop/web"],
    "list none": [],
    missing: ["NotFoundError", 404, "App '/none' does not exist"],
    scale: 3,
    "scale by": 2,
    update: [{ A: "2" }, true, true],
    versions: 4,
    version: { A: "1" },
    rollback: { A: "1" },
    "update many": ["/shop/one", "/shop/two", "/shop/web"],
    "kill one": true,
    replaced: true,
    "kill all": 1,
    "kill given": true,
    "scaled down": [1, [true]],
    endpoints: ["/shop/one", "/shop/two", "/shop/web"],
    group: ["deploymentId", "version"],
    "get group": [
      "/depot",
      [
        ["/depot/back", []],
        ["/depot/front", ["/depot/back"]],
      ],
    ],
    "list groups": ["/depot", "/shop"],
    "scale group": [2, 2],
    "update group": ["/depot/back"],
    "delete group": ["NotFoundError", 404, "Group '/depot' does not exist"],
    deployment: [["/stuck"], 2, "ScaleApplication"],
    locked: ["ConflictError", 409, LOCKED],
    cancel: ["deploymentId", "version"],
    cancelled: ["NotFoundError", 404, "App '/stuck' does not exist"],
    "force cancel": {},
    kept: "/stuck",
    delete: [[], []],
    events: ["MarathonEventStreamAttached", true, true],
    abdicate: { message: "Leadership abdicated" },
    ...differing,
  };
}

const NO_CALLBACKS =
  'http event callback system is not running on this Marathon instance. Please re-start this instance with "--event_subscriber http_callback".';
const QUEUE = ["/stuck", 1, true];

interface Version {
  profile: NonNullable<EmbeddedMarathonOptions["profile"]>;
  version: string;
  differing: Record<string, unknown>;
}

const versions: Version[] = [
  {
    profile: "1.4.x",
    version: "1.4.11",
    differing: {
      "create wrong": ["MarathonHttpError", 400, "Invalid JSON"],
      queue: QUEUE,
      subscriptions: ["MarathonHttpError", 400, NO_CALLBACKS],
    },
  },
  {
    profile: "1.8.x",
    version: "1.8.222",
    differing: {
      "create wrong": ["MarathonHttpError", 422, "Invalid JSON"],
      queue: QUEUE,
      subscriptions: ["InternalServerError", 500, "URI not found"],
    },
  },
  {
    profile: "1.10.x",
    version: "1.10.26",
    differing: {
      "create wrong": ["MarathonHttpError", 422, "Invalid JSON"],
      // The client is older than this field, and refuses what it does not know.
      queue: "MarathonQueueItem.__init__() got an unexpected keyword argument 'role'",
      subscriptions: ["InternalServerError", 500, "URI not found"],
    },
  },
];

describeWithServer(
  "python3-marathon, a client that others wrote, against the embedded Marathon",
  { "python3-marathon": hasPythonMarathon() },
  () => {
    it.each(versions)("works with it as Marathon $version", { timeout: 90_000 }, async (one) => {
      const dataDir = mkdtempSync(join(tmpdir(), "sluice-python-marathon-"));
      const { profile } = one;
      const server = await embeddedMarathon({ dataDir, profile, execution: "simulated", stopGraceMs: 100 });
      try {
        const { code, stdout, stderr } = await run([SCRIPT, server.address]);
        const seen = stdout
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line));
        expect({
          stderr: code === 0 ? "" : stderr,
          seen: Object.fromEntries(seen.map(({ step, saw }) => [step, saw])),
        }).toEqual({
          stderr: "",
          seen: expected(one.version, server.port, one.differing),
        });
      } finally {
        await server.stop();
        rmSync(dataDir, { recursive: true, force: true });
      }
    });
  },
);

function run(args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(PYTHON, args, { stdio: ["ignore", "pipe", "pipe"], timeout: 80_000 });
    const read = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        read[name] += text;
      });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...read }));
  });
}
