import type { JsonObject } from "@sluice/core";
import type { Complaint } from "../format/complaint.ts";
import { listIn, objectsIn, textIn } from "../format/reading.ts";
import { OWN_VARIABLES } from "./mark.ts";
import { isTimeZone, parseSchedule } from "./schedule.ts";

/** The rules of Chronos that span fields (reference 2.2 to 2.4), for a spec that may still be of the wrong shape. */
export function jobRules(job: JsonObject): readonly Complaint[] {
  return [...whenRules(job), ...whatRules(job), ...variableRules(job)];
}

function whenRules(job: JsonObject): Complaint[] {
  const scheduled = job.schedule !== undefined && job.schedule !== null;
  const dependent = job.parents !== undefined && job.parents !== null;
  if (scheduled && dependent)
    return [{ path: ["parents"], message: "cannot stand beside schedule; keep one of them" }];
  if (!scheduled && !dependent)
    return [{ path: [], message: "the job never runs: give it a schedule or parents" }];
  return dependent ? parentRules(job) : scheduleRules(job);
}

function parentRules(job: JsonObject): Complaint[] {
  const found: Complaint[] = [];
  if (Array.isArray(job.parents) && job.parents.length === 0)
    found.push({ path: ["parents"], message: "must not be empty" });
  for (const [at, parent] of listIn(job.parents).entries())
    if (parent === job.name) found.push({ path: ["parents", at], message: "a job cannot be its own parent" });
  if (textIn(job.scheduleTimeZone))
    found.push({ path: ["scheduleTimeZone"], message: "goes with schedule only" });
  return found;
}

function scheduleRules(job: JsonObject): Complaint[] {
  const zone = textIn(job.scheduleTimeZone) ?? "";
  // Chronos takes a time zone it does not know for GMT, without a word.
  if (zone !== "" && !isTimeZone(zone))
    return [
      { path: ["scheduleTimeZone"], message: "is no time zone", hint: "use a name such as Europe/Berlin" },
    ];
  const text = textIn(job.schedule);
  const schedule = text === undefined ? undefined : parseSchedule(text, zone);
  return typeof schedule === "string" ? [{ path: ["schedule"], message: schedule }] : [];
}

function whatRules(job: JsonObject): Complaint[] {
  const found: Complaint[] = [];
  if (job.shell === false && !textIn(job.command) && listIn(job.arguments).length === 0)
    found.push({ path: ["arguments"], message: "is missing: without a shell the job runs its arguments" });
  if (job.shell !== false && !textIn(job.command))
    found.push({ path: ["command"], message: "is missing: the job has nothing to run" });
  if (listIn(job.uris).length > 0 && listIn(job.fetch).length > 0)
    found.push({ path: ["uris"], message: "is the deprecated form of fetch and cannot stand beside it" });
  return found;
}

function variableRules(job: JsonObject): Complaint[] {
  const seen = new Set<string>();
  return objectsIn(job.environmentVariables).flatMap(([at, variable]) => {
    const name = textIn(variable.name);
    if (name === undefined) return [];
    const path = ["environmentVariables", at, "name"];
    if (OWN_VARIABLES.includes(name)) return [{ path, message: "is Sluice's own mark; leave it out" }];
    if (seen.has(name)) return [{ path, message: `is given twice: ${name}` }];
    seen.add(name);
    return [];
  });
}
