import { type JsonObject, redact, SluiceError } from "@sluice/core";
import { objectsIn, textIn } from "../format/reading.ts";
import { type HttpAnswer, serverMessage } from "../http/connection.ts";
import { commonFailure } from "../http/failure.ts";

/** What a refusal of Chronos means (reference 2.1). Version 2 answers in plain text, which is not repeated. */
export function chronosFailure(answer: HttpAnswer, sent?: JsonObject): SluiceError {
  const secrets = objectsIn(sent?.environmentVariables).flatMap(([, one]) => textIn(one.value) ?? []);
  const message = serverMessage(answer);
  const said = message === undefined ? undefined : redact(message, secrets);
  if (answer.status === 400)
    return new SluiceError("SCHEDULER_INVALID", `Chronos refused the job: ${said ?? "it gives no reason"}`);
  return commonFailure("Chronos", answer, said);
}
