import { isJsonObject, type JsonObject, type RefusedField, SluiceError, secretValues } from "@sluice/core";
import { listIn, objectIn, objectsIn, textIn } from "../format/reading.ts";
import type { HttpAnswer } from "../http/connection.ts";
import { commonFailure, firstLine, serverMessage } from "../http/failure.ts";

/**
 * What a refusal of Marathon means (reference 1.1, error bodies).
 * @param sent the app that was written, whose environment must not come back in a message.
 */
export function marathonFailure(answer: HttpAnswer, sent?: JsonObject): SluiceError {
  const { status } = answer;
  const said = serverMessage(answer, secretsOf(sent));
  // Only the limit of running deployments shares 403 with missing rights.
  if (status === 403 && said?.startsWith("Max number"))
    return new SluiceError(
      "SCHEDULER_LOCKED",
      "Marathon has its largest number of deployments running already",
    );
  if (status === 409 && isJsonObject(answer.json) && answer.json.deployments !== undefined)
    return new SluiceError(
      "SCHEDULER_LOCKED",
      `another deployment of the app is running${deploymentsOf(answer.json)}`,
    );
  if (status === 409)
    return new SluiceError("SCHEDULER_CONFLICT", `Marathon: ${said ?? "the app exists already"}`);
  if ((status === 400 || status === 422) && isJsonObject(answer.json)) {
    const fields = detailsOf(answer, sent);
    const words = fields.map((one) => one.words).join("; ") || (said ?? `status ${status}`);
    return new SluiceError("SCHEDULER_INVALID", `Marathon refused the app: ${words}`, { fields });
  }
  return commonFailure("Marathon", answer, said);
}

function deploymentsOf(body: JsonObject): string {
  const ids = objectsIn(body.deployments).flatMap(([, one]) => textIn(one.id) ?? []);
  return ids.length === 0 ? "" : `: ${ids.slice(0, 3).join(", ")}`;
}

/** `instances: error.min; container.docker: not defined`. */
function detailsOf(answer: HttpAnswer, sent: JsonObject | undefined): readonly RefusedField[] {
  const details = isJsonObject(answer.json) ? objectsIn(answer.json.details) : [];
  const secrets = secretsOf(sent);
  return details.slice(0, 10).map(([, one]) => {
    const path = dotted(textIn(one.path) ?? "/");
    // What Marathon says of an environment value may quote it.
    if (/(^|\.)(env|environment|secrets)(\.|$)/.test(path)) return { path, words: `${path}: not accepted` };
    const errors = listIn(one.errors).filter((error) => typeof error === "string");
    const what = path === "" ? "the app" : path;
    return { path, words: `${what}: ${firstLine(errors.join(", "), secrets, 200)}` };
  });
}

/** `/portDefinitions(0)/name` → `portDefinitions.0.name`. */
function dotted(path: string): string {
  return path
    .replace(/\(([^)]*)\)/g, ".$1")
    .replaceAll("/", ".")
    .replace(/^\.+/, "");
}

/** Values of an app or pod that must not come back in a message: environments, what is handed to Docker, and whatever is named like a secret. */
export function secretsOf(job: JsonObject | undefined): readonly string[] {
  if (!job) return [];
  const docker = objectIn(objectIn(job.container)?.docker);
  const handed = objectsIn(docker?.parameters).flatMap(([, one]) => textIn(one.value) ?? []);
  return [...secretValues(job), ...handed];
}
