// `npm test`: puts the real servers on the machine where it can, builds, and runs every test. Words after `--` go to vitest.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function step(program, ...args) {
  const { status, error } = spawnSync(program, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
  if (error) process.stderr.write(`✗ ${program}: ${error.message}\n`);
  if (status !== 0) process.exit(status ?? 1);
}

step("bash", "test/servers/install");
step(process.execPath, "node_modules/typescript/bin/tsc", "-b");
step(process.execPath, "packages/app/make-bundle.js");
step(process.execPath, "node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2));
