import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { describeWithServer, hasConsul } from "../servers/available.ts";
import { describeConsuls, freshPrefix, json } from "./consul-http-target.ts";

interface Done {
  code: number | null;
  out: string;
  err: string;
}

const PATIENCE = { timeout: 15_000, interval: 50 };

describeWithServer("the consul command", { consul: hasConsul() }, () => {
  describeConsuls("speaks with", (target) => {
    const running = new Set<ChildProcess>();
    let folder = "";

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "consul-cli-"));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));
    afterEach(async () => {
      for (const child of running) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    });

    function start(args: string[]): ChildProcess {
      const env = { ...process.env, CONSUL_HTTP_ADDR: target().address };
      const child = spawn("consul", args, { env, stdio: ["pipe", "pipe", "pipe"] });
      running.add(child);
      child.once("exit", () => running.delete(child));
      return child;
    }

    async function consul(args: string[], input = ""): Promise<Done> {
      const child = start(args);
      const done = { code: 0 as number | null, out: "", err: "" };
      child.stdout?.on("data", (chunk: Buffer) => {
        done.out += chunk.toString();
      });
      child.stderr?.on("data", (chunk: Buffer) => {
        done.err += chunk.toString();
      });
      child.stdin?.end(input);
      const [code] = await once(child, "close");
      return { ...done, code };
    }

    const ok = (out: string) => ({ code: 0, out, err: "" });

    it("puts, gets and deletes", async () => {
      const key = `${freshPrefix()}a`;
      expect(await consul(["kv", "put", "-flags=42", key, "hello"])).toEqual(
        ok(`Success! Data written to: ${key}\n`),
      );
      expect(await consul(["kv", "get", key])).toEqual(ok("hello\n"));
      const detailed = await consul(["kv", "get", "-detailed", key]);
      expect(detailed.out).toMatch(/^Flags +42$/m);
      expect((await consul(["kv", "put", "-cas", "-modify-index=1", key, "x"])).code).toBe(1);
      expect(await consul(["kv", "delete", key])).toEqual(ok(`Success! Deleted key: ${key}\n`));
      expect(await consul(["kv", "get", key])).toEqual({
        code: 1,
        out: "",
        err: `Error! No key exists at: ${key}\n`,
      });
    });

    it("lists keys and trees, and deletes a tree", async () => {
      const at = freshPrefix();
      for (const name of ["a", "b/c", "b/d"]) await consul(["kv", "put", at + name, name]);
      expect(await consul(["kv", "get", "-keys", at])).toEqual(ok(`${at}a\n${at}b/\n`));
      expect(await consul(["kv", "get", "-recurse", at])).toEqual(
        ok(`${at}a:a\n${at}b/c:b/c\n${at}b/d:b/d\n`),
      );
      await consul(["kv", "delete", "-recurse", `${at}b/`]);
      expect(await consul(["kv", "get", "-recurse", at])).toEqual(ok(`${at}a:a\n`));
    });

    it("exports and imports", async () => {
      const at = freshPrefix();
      for (const name of ["a", "b/c"]) await consul(["kv", "put", "-flags=7", at + name, `value of ${name}`]);
      const { out } = await consul(["kv", "export", at]);
      expect(JSON.parse(out)).toEqual([
        { key: `${at}a`, flags: 7, value: Buffer.from("value of a").toString("base64") },
        { key: `${at}b/c`, flags: 7, value: Buffer.from("value of b/c").toString("base64") },
      ]);
      await consul(["kv", "delete", "-recurse", at]);
      expect((await consul(["kv", "import", "-"], out)).code).toBe(0);
      expect((await consul(["kv", "export", at])).out).toBe(out);
    });

    it.each([
      ["key", (at: string) => ["-type=key", `-key=${at}a`]],
      ["keyprefix", (at: string) => ["-type=keyprefix", `-prefix=${at}`]],
    ])("watches a %s", async (_, kind) => {
      const at = freshPrefix();
      await consul(["kv", "put", `${at}a`, "first"]);
      const seen = join(folder, `seen-${at.slice(0, -1)}`);
      start(["watch", ...kind(at), "-shell=false", "sh", "-c", `cat >>"$0"; echo >>"$0"`, seen]);
      const values = async () => {
        const lines = (await readFile(seen, "utf8").catch(() => "")).split("\n").filter(Boolean);
        return lines
          .flatMap((line) => [JSON.parse(line)].flat())
          .map(({ Value }) => Buffer.from(Value, "base64").toString());
      };
      await vi.waitFor(async () => expect(await values()).toEqual(["first"]), PATIENCE);
      await consul(["kv", "put", `${at}a`, "second"]);
      await vi.waitFor(async () => expect(await values()).toEqual(["first", "second"]), PATIENCE);
    });

    it("locks: the second holder starts only after the first has ended", async () => {
      const at = freshPrefix().slice(0, -1);
      const [started, go] = [join(folder, `${at}-started`), join(folder, `${at}-go`)];
      const wait = `touch "$0"; while [ ! -e "$1" ]; do sleep 0.05; done; echo one`;
      const first = consul(["lock", "-shell=false", at, "sh", "-c", wait, started, go]);
      await vi.waitFor(() => access(started), PATIENCE);
      const sessions = await target().call("GET", "/v1/session/list");
      expect(json<{ Name: string }[]>(sessions).filter(({ Name }) => Name.includes(at))).toHaveLength(1);
      const refused = await consul(["lock", "-shell=false", "-timeout=1s", "-try=1s", at, "echo", "two"]);
      expect([refused.code, refused.out]).toEqual([1, expect.not.stringContaining("two")]);
      const second = consul(["lock", "-shell=false", at, "echo", "two"]);
      await writeFile(go, "");
      expect((await first).out).toBe("one\n");
      expect((await second).out).toBe("two\n");
    });

    it("lists the catalog", async () => {
      expect((await consul(["catalog", "services"])).out).toContain("consul\n");
      expect((await consul(["catalog", "nodes"])).out).toContain(target().node);
      expect((await consul(["members"])).out).toContain("alive");
    });
  });
});
