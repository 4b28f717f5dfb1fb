import { type Answer, LEADER } from "../http/answer.ts";
import { checkCommonOptions, type Request } from "../http/request.ts";
import type { Route } from "../http/router.ts";
import type { Store } from "../store/store.ts";
import type { Transaction } from "../store/transaction.ts";
import { type ApplyContext, applyOperations, RolledBack, WRITE_VERBS } from "./apply.ts";
import { parseOperations } from "./parse.ts";

/** Consul's `txn_max_req_len`. */
const LONGEST_BODY = 512 * 1024;

export function txnRoutes(context: ApplyContext & { store: Store }): Route[] {
  const bodyLimit = { bytes: LONGEST_BODY, option: "txn_max_req_len" };
  return [{ path: "/v1/txn", bodyLimit, methods: { PUT: (request) => txn(request, context) } }];
}

async function txn(request: Request, context: ApplyContext & { store: Store }): Promise<Answer> {
  checkCommonOptions(request);
  const operations = parseOperations(request.body);
  const onlyReads = !operations.some(({ verb }) => WRITE_VERBS.has(verb));
  const apply = (tx: Transaction) => applyOperations(tx, operations, context);
  try {
    const results = onlyReads ? apply(readOnly(context.store)) : await context.store.write(apply);
    return answer(200, `[${results.join(",")}]`, { errors: "null", onlyReads });
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error;
    return answer(409, "null", { errors: JSON.stringify(error.errors), onlyReads });
  }
}

/** The whole body; one of only reads bears the query's meta data as well. */
function answer(status: number, results: string, rest: { errors: string; onlyReads: boolean }): Answer {
  const meta = rest.onlyReads ? ',"Index":0,"LastContact":0,"KnownLeader":true,"ConsistencyLevel":""' : "";
  const body = `{"Results":${results},"Errors":${rest.errors}${meta}}`;
  return { status, body, headers: rest.onlyReads ? LEADER : {} };
}

/** Read verbs never write, so they need no turn in the queue of writes. */
function readOnly({ read }: Store): Transaction {
  function never(): never {
    throw new Error("a transaction of reads cannot write");
  }
  return { ...read, put: never, remove: never, index: never, afterCommit: never };
}
