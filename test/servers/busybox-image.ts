import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * The file system of a small image, as tar: busybox with all its applets in /bin, and the given files.
 * @param files path in the image → text; all executable.
 */
export function busyboxTar(files: Readonly<Record<string, string>>): Buffer {
  const root = mkdtempSync(join(tmpdir(), "sluice-image-"));
  try {
    for (const folder of ["bin", "tmp", "etc"]) mkdirSync(join(root, folder));
    copyFileSync("/bin/busybox", join(root, "bin/busybox"));
    chmodSync(join(root, "bin/busybox"), 0o755);
    for (const applet of applets()) symlinkSync("busybox", join(root, "bin", applet));
    for (const [path, text] of Object.entries(files)) {
      const file = join(root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text, { mode: 0o755 });
    }
    return execFileSync("tar", ["-c", "--owner=0", "--group=0", "-C", root, "."], { maxBuffer: 64 << 20 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function applets(): string[] {
  const list = execFileSync("/bin/busybox", ["--list"], { encoding: "utf8" });
  return list.split("\n").filter((name) => name !== "" && name !== "busybox");
}
