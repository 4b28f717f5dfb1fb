import {
  DEFAULT_JOB_OPTIONS,
  type FieldChange,
  isJsonObject,
  type JobFormat,
  type JobKey,
  type Json,
  type JsonObject,
  jobId,
  type ParsedFile,
  type ParsedJob,
  readDocuments,
  sameJson,
  type TargetName,
  type TextDocument,
} from "@sluice/core";

/** A format for tests: every YAML document is a job with an `id`, whatever else it says, and options under `sluice`. */
export const toyFormat: JobFormat = {
  type: "toy",
  accepts: (path) => path.endsWith(".yaml"),
  parse({ path, bytes }, target): ParsedFile {
    const { documents, problems } = readDocuments(bytes);
    const jobs: ParsedJob[] = [];
    const found = problems.map(({ line, column, message }) => ({
      file: path,
      line,
      column,
      reason: "InvalidSpec" as const,
      message,
    }));
    for (const document of documents) {
      const job = jobIn(document, target);
      if (job) jobs.push(job);
      else
        found.push({
          file: path,
          ...document.locate([]),
          reason: "InvalidSpec",
          message: "a job needs an id",
        });
    }
    return { jobs, problems: found };
  },
  place({ bytes }, { id, path }) {
    const { documents } = readDocuments(bytes);
    return documents
      .find(({ value }) => isJsonObject(value) && value.id === id)
      ?.locate(path === "" ? [] : path.split("."));
  },
  compare: (desired, live, ignore) => compare(desired, live).filter(({ path }) => !ignore.includes(path)),
};

function jobIn(document: TextDocument, target: TargetName): ParsedJob | undefined {
  if (!isJsonObject(document.value) || typeof document.value.id !== "string") return undefined;
  const { sluice, ...spec } = document.value;
  const options = isJsonObject(sluice) ? sluice : {};
  const dependsOn = (Array.isArray(options.dependsOn) ? options.dependsOn : []).map((one: Json) =>
    String(one).includes("/") ? String(one) : `${target}/${one}`,
  );
  return {
    id: jobId(document.value.id),
    spec,
    line: document.locate([]).line,
    options: {
      ...DEFAULT_JOB_OPTIONS,
      ...(options as object),
      dependsOn: dependsOn as JobKey[],
    },
  };
}

function compare(desired: JsonObject, live: JsonObject): FieldChange[] {
  const names = [...new Set([...Object.keys(desired), ...Object.keys(live)])].sort();
  return names.flatMap((path) => {
    const [from, to] = [live[path], desired[path]];
    if (from !== undefined && to !== undefined && sameJson(from, to)) return [];
    return [{ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }];
  });
}
