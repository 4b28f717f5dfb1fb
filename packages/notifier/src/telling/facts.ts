import { displayPath, type EnvName, type FilePath, type SluiceEvent, shortRevision } from "@sluice/core";
import type { NoticeKind } from "../notice/kinds.ts";
import type { Fact } from "../notice/notice.ts";
import { shownChange } from "../notice/shown.ts";

type Told<T extends SluiceEvent["type"]> = (event: Extract<SluiceEvent, { type: T }>) => Fact | undefined;

/** What single events say; deployments and jobs have a memory and are told by `hear`. */
const FACTS: { readonly [T in SluiceEvent["type"]]?: Told<T> } = {
  "mirror.refused": (e) => ({
    ...about(e, "mirror.refused", `${shortRevision(e.revision)} is refused; the revision before it stays`),
    message: listOf(
      e.problems.map(
        ({ file, line, message }) =>
          `${displayPath(file)}${line === undefined ? "" : `:${line}`}: ${message}`,
      ),
    ),
    reason: e.problems[0]?.reason ?? "InvalidSpec",
    revision: e.revision,
  }),
  "target.failed": (e) => ({
    ...about(e, "target.failed", `the target ${e.target} does not answer`),
    ...{ message: e.message, reason: e.code, target: e.target },
  }),
  "target.recovered": (e) => ({
    ...about(e, "target.recovered", `the target ${e.target} answers again`),
    target: e.target,
  }),
  "image.committed": (e) => ({
    ...about(e, "image.committed", `image versions committed as ${e.commit.slice(0, 8)}`),
    message: listOf(e.changes.map(({ image, from, to }) => `${image}: ${from} → ${to}`)),
    commit: { id: e.commit },
  }),
  "image.refused": (e) => ({
    ...about(e, "image.refused", `image ${e.image} is left out`),
    message: e.why,
  }),
  "images.invalid": (e) => ({
    ...about(e, "image.refused", "the image rules of deploy.yaml have problems"),
    message: listOf(
      e.problems.map(({ file, message }) => `${displayPath(file as string as FilePath)}: ${message}`),
    ),
  }),
  "build.finished": (e) => {
    const well = e.state === "succeeded" || e.state === "handed-over";
    const title = `${e.app}: the build of ${e.commit.slice(0, 8)} ${e.state}`;
    return {
      ...about(e, well ? "build.succeeded" : "build.failed", title),
      message: e.message,
      commit: { id: e.commit },
      ms: e.ms,
      ...(e.url === undefined ? {} : { url: e.url }),
    };
  },
  "router.failed": (e) => ({ ...about(e, "router.failed", "the router cannot go on"), message: e.message }),
  "router.rolled-back": (e) => ({
    ...about(e, "router.failed", "the load balancer refused its new file"),
    message: e.message,
  }),
  "router.held": (e) => ({
    ...about(e, "router.failed", `${e.servers} servers of ${e.service} vanished at once`),
    message: "They are kept until it is certain that they are gone.",
  }),
  "router.recovered": (e) => about(e, "router.recovered", "the router goes on"),
  "registrar.failed": (e) => ({
    ...about(e, "registrar.failed", `the registrar of ${e.node} cannot go on`),
    message: e.message,
  }),
  "registrar.recovered": (e) => about(e, "registrar.recovered", `the registrar of ${e.node} goes on`),
  "mirror.failed": (e) => broken(e, "the mirror"),
  "mirror.recovered": (e) => about(e, "engine.recovered", "the mirror goes on"),
  "deployment.failed": (e) => broken(e, "the deployer"),
  "images.failed": (e) => broken(e, "the image updater"),
  "images.recovered": (e) => about(e, "engine.recovered", "the image updater goes on"),
  "builds.failed": (e) => broken(e, "the build trigger"),
  "builds.recovered": (e) => about(e, "engine.recovered", "the build trigger goes on"),
  "branches.failed": (e) => broken(e, "looking at branches"),
  "branches.recovered": (e) => about(e, "engine.recovered", "branches can be looked at again"),
};

export function factOf(event: SluiceEvent): Fact | undefined {
  return (FACTS[event.type] as Told<SluiceEvent["type"]> | undefined)?.(event);
}

/** @param what without the environment, which is put before it. */
export function about(
  { environment, at }: { readonly environment: EnvName; readonly at: string },
  kind: NoticeKind,
  what: string,
): Fact {
  const title = environment === "*" ? what : `${environment}: ${what}`;
  return { kind, environment, at, title, message: "", jobs: [] };
}

function broken(
  event: {
    readonly environment: EnvName;
    readonly at: string;
    readonly code: string;
    readonly message: string;
  },
  who: string,
): Fact {
  const { code, message } = event;
  return { ...about(event, "engine.failed", `${who} cannot go on`), reason: code, message };
}

const MOST_LINES = 10;

function listOf(lines: readonly string[]): string {
  const more = lines.length - MOST_LINES;
  return [...lines.slice(0, MOST_LINES), ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}

/** So many jobs of a plan are remembered: enough for each team to find its own. */
const MOST_PLANNED = 200;

export function plannedJobs(event: Extract<SluiceEvent, { type: "deployment.planned" }>) {
  const { revision, changes, total } = event;
  return { revision, jobs: changes.slice(0, MOST_PLANNED).map(shownChange), total };
}
