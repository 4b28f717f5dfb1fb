import { type JsonObject, redact, SluiceError } from "@sluice/core";
import { listIn, objectIn, textIn } from "../format/reading.ts";
import type { HttpAnswer } from "../http/connection.ts";
import { commonFailure, fieldsNamed, serverMessage } from "../http/failure.ts";

/** An update with an older version than the service has: it moved since it was read (reference 4.1; a 500 like any other). */
export function isOutOfSequence(answer: HttpAnswer): boolean {
  return answer.status >= 400 && (serverMessage(answer) ?? "").includes("out of sequence");
}

/**
 * What a refusal of the Engine API means (reference 4.1).
 * @param sent the service that was written, whose environment must not come back in a message.
 */
export function swarmFailure(answer: HttpAnswer, sent?: JsonObject): SluiceError {
  const { status } = answer;
  const message = serverMessage(answer);
  const said = message === undefined ? undefined : redact(message, secretsOf(sent));
  if (isOutOfSequence(answer)) return conflict("somebody else writes the service at the same time");
  if (status === 409) return conflict(`Docker: ${said ?? "the name is in use"}`);
  // What a service refers to went away between two questions, or was never there.
  if (status === 404) return conflict(`Docker: ${said ?? "it is gone"}`);
  if (status === 501)
    return new SluiceError("SCHEDULER_INVALID", `Docker refused the service: ${said ?? "not possible"}`, {
      hint: "A service's mode cannot change while it runs: give the service another name.",
    });
  // A network that services may not use is answered like missing rights.
  if (status === 403 && message?.includes("network"))
    return new SluiceError("SCHEDULER_INVALID", `Docker refused the service: ${said}`, {
      fields: fieldsNamed(said, sent),
    });
  return commonFailure("Docker", answer, said, sent);
}

export function conflict(message: string): SluiceError {
  return new SluiceError("SCHEDULER_CONFLICT", message);
}

/** The values of a service's environment. */
export function secretsOf(spec: JsonObject | undefined): readonly string[] {
  const container = objectIn(objectIn(spec?.TaskTemplate)?.ContainerSpec);
  return listIn(container?.Env).flatMap((one) => {
    const entry = textIn(one) ?? "";
    return entry.includes("=") ? entry.slice(entry.indexOf("=") + 1) : [];
  });
}
