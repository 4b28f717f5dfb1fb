import type { Reader } from "../store/transaction.ts";
import { block, type Found, type Query, type WaitContext } from "../watch/blocking.ts";
import { type Answer, indexHeaders } from "./answer.ts";
import { checkCommonOptions, type Request, waitOptions } from "./request.ts";

/** What the read endpoints need. */
export interface ReadContext {
  read: Reader;
  wait: WaitContext;
}

/** Answers a read with its index, waiting first if the client asks for it. */
export function answerRead<T>(
  request: Request,
  context: ReadContext,
  { query, render }: { query: Query<T>; render: (found: T) => Answer },
): Answer | Promise<Answer> {
  checkCommonOptions(request);
  const wait = waitOptions(request);
  if (wait.index === 0) return rendered(query.run(), render);
  return block(query, wait, context.wait, request.signal).then((found) => rendered(found, render));
}

/** For the catalog and health endpoints, which answer JSON and name the consistency they had. */
export function answerCatalog<T>(
  request: Request,
  context: ReadContext,
  query: Query<T>,
): Answer | Promise<Answer> {
  const headers = { "X-Consul-Effective-Consistency": "leader" };
  const render = (found: T) => ({ status: 200, body: JSON.stringify(found), headers });
  return answerRead(request, context, { query, render });
}

function rendered<T>(found: Found<T>, render: (found: T) => Answer): Answer {
  const answer = render(found.value);
  return { ...answer, headers: { ...answer.headers, ...indexHeaders(found.index) } };
}
