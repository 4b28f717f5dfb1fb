import { isJsonObject, type JobId, type Json, type JsonObject } from "@sluice/core";
import { listIn, textIn } from "../format/reading.ts";
import type { HttpAnswer } from "../http/connection.ts";
import { serverMessage, strangeAnswer } from "../http/failure.ts";
import { absoluteId } from "./app-id.ts";
import { marathonFailure } from "./failure.ts";

/** A whole list of things with ids. @throws SCHEDULER_UNREACHABLE for anything else. */
export function listOf(list: Json | undefined, question: string): readonly JsonObject[] {
  const entries = listIn(list).filter(isJsonObject);
  if (!Array.isArray(list) || entries.length !== list.length || entries.some((one) => !textIn(one.id)))
    throw strangeAnswer("Marathon", question);
  return entries;
}

/**
 * The one thing that was asked for; undefined where Marathon says that it does not exist.
 * @throws SCHEDULER_UNREACHABLE for anything else, a proxy's 404 among it, which must not read as "it is gone".
 */
export function oneOf(
  answer: HttpAnswer,
  pick: (body: JsonObject) => JsonObject | undefined,
  { id, path }: { readonly id: JobId; readonly path: string },
): JsonObject | undefined {
  if (answer.status === 404 && serverMessage(answer)?.includes("does not exist")) return undefined;
  if (answer.status === 404) throw strangeAnswer("Marathon", `GET ${path}`);
  if (answer.status !== 200) throw marathonFailure(answer);
  const one = isJsonObject(answer.json) ? pick(answer.json) : undefined;
  if (!one || textIn(one.id) !== absoluteId(id)) throw strangeAnswer("Marathon", `GET ${path}`);
  return one;
}

/** An id as a part of a URL: `/shop/web`. */
export function pathOf(id: JobId): string {
  return absoluteId(id).split("/").map(encodeURIComponent).join("/");
}
