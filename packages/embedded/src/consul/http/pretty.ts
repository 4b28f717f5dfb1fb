import type { Answer } from "./answer.ts";

/** `?pretty`: the JSON indented by four spaces. Numbers beyond 2⁵³ would be harmed by parsing, so they prevent it. */
export function prettied(answer: Answer): Answer {
  if (answer.type || typeof answer.body !== "string" || /[:[,]\d{16,}/.test(answer.body)) return answer;
  return { ...answer, body: `${JSON.stringify(JSON.parse(answer.body), null, 4)}\n` };
}
