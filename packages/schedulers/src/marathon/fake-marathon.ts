import { type Scheduler, systemClock } from "@sluice/core";
import { serving } from "../http/fake-server.ts";
import { type MarathonOptions, marathon } from "./driver.ts";

type Answer = readonly [status: number, body: unknown];

/** One answer per line without its query, or a list of them, the last of which is given again and again. */
export type Answers = Readonly<Record<string, Answer | { readonly inTurn: readonly Answer[] }>>;

export interface FakeMarathon {
  readonly scheduler: Scheduler;
  /** Every request with its query, and its body. */
  readonly seen: [line: string, body: unknown][];
  /** The lines of all but reads, and of those as well where `reads`. */
  lines(reads?: "with reads"): readonly string[];
}

/** A Marathon 1.10 without pods that gives these answers, and 418 to whatever else is asked. */
export async function fakeMarathon(
  answers: Answers,
  options: Partial<MarathonOptions> = {},
): Promise<FakeMarathon> {
  const standard: Answers = {
    "GET /v2/info": [200, { version: "1.10.26" }],
    "GET /v2/pods/::status": [200, []],
    "GET /v2/queue": [200, { queue: [] }],
  };
  const known = { ...standard, ...answers };
  const given = new Map<string, number>();
  const seen: [line: string, body: unknown][] = [];
  const address = await serving(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    seen.push([`${request.method} ${request.url}`, body === "" ? undefined : JSON.parse(body)]);
    const line = `${request.method} ${request.url?.split("?")[0]}`;
    const turn = given.get(line) ?? 0;
    given.set(line, turn + 1);
    const answer = known[line] ?? [418, { message: `no answer to ${line}` }];
    const [status, json] = "inTurn" in answer ? atMost(answer.inTurn, turn) : answer;
    response.writeHead(status).end(typeof json === "string" ? json : JSON.stringify(json));
  });
  const scheduler = marathon({
    ...{ addresses: [address], clock: systemClock, random: () => 0.5 },
    ...options,
  });
  const lines = (reads?: "with reads") =>
    seen.map(([line]) => line).filter((line) => reads !== undefined || !line.startsWith("GET "));
  return { scheduler, seen, lines };
}

function atMost(answers: readonly Answer[], turn: number): Answer {
  const answer = answers[Math.min(turn, answers.length - 1)];
  if (!answer) throw new Error("there is no answer to give");
  return answer;
}
