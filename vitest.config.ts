import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source"], externalConditions: ["source"] } },
  test: {
    env: { TZ: "UTC", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", NO_COLOR: "1" },
    // Limits for what hangs, long enough for a machine that does several other things at once.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    // One more than the cores of a small machine: tests against real servers wait for sessions and elections most of the time.
    maxWorkers: 3,
    restoreMocks: true,
    projects: [
      { extends: true, test: { name: "packages", include: ["packages/*/src/**/*.test.ts"] } },
      {
        extends: true,
        // Real servers on two cores: what fails once is tried once more in CI, and the report says so.
        test: { name: "whole", include: ["test/**/*.test.ts"], retry: process.env.CI ? 1 : 0 },
      },
    ],
  },
});
