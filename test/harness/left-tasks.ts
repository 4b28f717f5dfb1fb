import { readdir, readFile } from "node:fs/promises";

/**
 * Ends what embedded schedulers below this folder started and could not end, since they were killed: their processes are made
 * to outlive them. Known by their environment, which names the folder; where the machine has no /proc, nothing is found.
 */
export async function endLeftTasks(folder: string): Promise<void> {
  const entries = await readdir("/proc").catch(() => []);
  await Promise.all(
    entries
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => {
        const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
        if (!environment.split("\0").some((one) => one.startsWith(`MESOS_SANDBOX=${folder}/`))) return;
        try {
          process.kill(Number(pid), "SIGKILL");
        } catch {
          // It ended by itself.
        }
      }),
  );
}
