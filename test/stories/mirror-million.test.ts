import { execFileSync } from "node:child_process";
import { afterEach, expect, it } from "vitest";
import { type BareRepo, bareRepo } from "../harness/bare-repo.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/free-port.ts";
import { type Mirrored, readMirrored } from "../harness/mirrored.ts";
import { peakMib } from "../harness/peak-memory.ts";
import { type RoleProcess, startRoles } from "../harness/role.ts";

const ENTRIES = 1_000_000;

let engine: RoleProcess | undefined;
const repositories: BareRepo[] = [];

afterEach(async () => {
  await engine?.remove();
  for (const repository of repositories.splice(0)) repository.remove();
});

function newRepository(): BareRepo {
  const repository = bareRepo();
  repositories.push(repository);
  return repository;
}

/** A tree of so many files, as its bytes: mode, name, and the id of one and the same blob. */
function wideTree(blob: string): Buffer {
  const id = Buffer.from(blob, "hex");
  const entries = Array.from({ length: ENTRIES }, (_, at) => {
    return Buffer.concat([Buffer.from(`100644 f${String(at).padStart(7, "0")}\0`), id]);
  });
  return Buffer.concat(entries);
}

/** Puts a commit of a million files on top of the branch. */
function pushMillion({ folder }: BareRepo): string {
  const git = (args: readonly string[], input: Buffer | string = "") =>
    execFileSync("git", ["-C", folder, ...args], { input })
      .toString()
      .trim();
  const who = "A <a@example.test> 1700000000 +0000";
  const tree = git(
    ["hash-object", "-t", "tree", "-w", "--stdin"],
    wideTree(git(["hash-object", "-w", "--stdin"], "x")),
  );
  const text = `tree ${tree}\nparent ${git(["rev-parse", "main"])}\nauthor ${who}\ncommitter ${who}\n\nwide\n`;
  const commit = git(["hash-object", "-t", "commit", "-w", "--stdin"], text);
  git(["update-ref", "refs/heads/main", commit]);
  return commit;
}

it("a tree of a million entries is refused by the limit it names, in bounded memory, and other environments go on", async () => {
  const consulPort = await freePort();
  const [wide, other] = [newRepository(), newRepository()];
  const first = wide.commit({ a: "1" });
  const source = (repository: BareRepo) => ({ repository: repository.folder, interval: "500ms" });
  const environments = {
    wide: { source: source(wide), targets: {} },
    other: { source: source(other), targets: {} },
  };
  const config = { embedded: { consulPort }, lock: { ttl: "10s", delay: "1s" }, environments };
  engine = await startRoles({ roles: ["consul", "mirror"], config });
  const mirrored = (environment: string, commit: string) =>
    eventually(`${environment} shows ${commit}`, async (): Promise<Mirrored | undefined> => {
      const found = await readMirrored(`http://127.0.0.1:${consulPort}`, environment);
      return found?.synced && found.digestHolds && found.commit === commit ? found : undefined;
    });
  await mirrored("wide", first);

  pushMillion(wide);
  await engine.printed(/wide ✗ .*the repository's root has more than 200000 entries \(limits\.maxFiles\)/);
  const later = other.commit({ b: "1" });
  expect((await mirrored("other", later)).files).toEqual({ b: "1" });
  expect((await mirrored("wide", first)).files).toEqual({ a: "1" });
  expect(peakMib(engine.pid)).toBeLessThan(300);

  const next = wide.commit({ a: "2" });
  expect((await mirrored("wide", next)).files).toEqual({ a: "2" });
}, 60_000);
