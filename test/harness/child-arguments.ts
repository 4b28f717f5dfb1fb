import { readdirSync, readFileSync } from "node:fs";

/** Notes the command lines of a process's descendants (Linux), for as long as they are watched. */
export function watchArguments(ancestor: number): { readonly seen: ReadonlySet<string>; stop(): void } {
  const seen = new Set<string>();
  const timer = setInterval(() => look(ancestor, seen), 5);
  return { seen, stop: () => clearInterval(timer) };
}

function look(ancestor: number, seen: Set<string>): void {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [, parent] = /^.*\) \S (\d+) /s.exec(read(`/proc/${name}/stat`)) ?? [];
    if (parent) parents.set(Number(name), Number(parent));
  }
  for (const pid of parents.keys())
    if (descends(pid, ancestor, parents)) seen.add(read(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
}

function descends(pid: number, ancestor: number, parents: ReadonlyMap<number, number>): boolean {
  for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at))
    if (at === ancestor) return true;
  return false;
}

/** A process may be gone between one look and the next. */
function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}
