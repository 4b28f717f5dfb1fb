import { type JsonObject, SluiceError, secretValues } from "@sluice/core";
import { objectIn, objectsIn, textIn } from "../format/reading.ts";
import type { HttpAnswer } from "../http/connection.ts";
import { commonFailure, fieldsNamed, serverMessage } from "../http/failure.ts";

/** What a refusal of Chronos means (reference 2.1). Version 2 answers in plain text, which is not repeated. */
export function chronosFailure(answer: HttpAnswer, sent?: JsonObject): SluiceError {
  const said = serverMessage(answer, secretsOf(sent));
  // Version 2 says why in plain text; a page is a proxy's.
  if (answer.status === 400 && !/^\s*</.test(answer.text))
    return new SluiceError("SCHEDULER_INVALID", `Chronos refused the job: ${said ?? "it gives no reason"}`, {
      fields: fieldsNamed(said, sent),
    });
  return commonFailure("Chronos", answer, said, sent);
}

/** Values of a job that must not come back in a message: its environment, and what it hands to Docker. */
function secretsOf(job: JsonObject | undefined): readonly string[] {
  const named = [...objectsIn(job?.environmentVariables), ...objectsIn(objectIn(job?.container)?.parameters)];
  return [...secretValues(job ?? {}), ...named.flatMap(([, one]) => textIn(one.value) ?? [])];
}
