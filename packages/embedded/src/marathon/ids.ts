const SEGMENT = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/** Whether a path is spelled as Marathon allows: dot-joined lower-case labels; `.` and `..` as relative references. */
export function isPathSpelling(path: string): boolean {
  return path.split("/").every((part) => part === "" || part === "." || part === ".." || SEGMENT.test(part));
}

/** Absolute form of a path: empty segments dropped, `.` and `..` resolved against `base` when it is relative. */
export function absolutePath(path: string, base = "/"): string {
  const parts = path.startsWith("/") ? [] : segments(base);
  for (const part of segments(path)) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The path from a URL: decoded and without empty segments, but neither resolved nor checked. */
export function sanitisedPath(path: string): string {
  return `/${segments(path).join("/")}`;
}

export function parentPath(path: string): string {
  return `/${segments(path).slice(0, -1).join("/")}`;
}

/** Every group above an app, the root first. */
export function ancestors(path: string): string[] {
  const parts = segments(path).slice(0, -1);
  return ["/", ...parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`)];
}

export function lastSegment(path: string): string {
  return segments(path).at(-1) ?? "";
}

/** `/shop/web` and a UUID → `shop_web.instance-<uuid>`. */
export function instanceIdOf(appId: string, uuid: string): string {
  return `${segments(appId).join("_")}.instance-${uuid}`;
}

/** `<instance id>._app.<incarnation>`, without the last part before 1.8. */
export function taskIdOf(instanceId: string, incarnation: number, incarnations: boolean): string {
  return incarnations ? `${instanceId}._app.${incarnation}` : `${instanceId}._app`;
}

const TASK_ID = /^(.+)\.(instance|marathon)-[0-9a-f-]{36}(?:\._app(?:\.\d+)?)?$/;

/** The app a task or instance belongs to, from its id; undefined when it is not spelled as one. */
export function appIdOfTask(id: string): string | undefined {
  const joined = TASK_ID.exec(id)?.[1];
  return joined === undefined ? undefined : `/${joined.replaceAll("_", "/")}`;
}

/** The instance id within a task id. */
export function instanceIdOfTask(taskId: string): string {
  return taskId.replace(/\._app(\.\d+)?$/, "");
}

function segments(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}
