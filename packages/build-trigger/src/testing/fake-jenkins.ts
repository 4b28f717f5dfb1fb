import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One build or item of the queue, as the stand-in keeps it. */
export interface FakeBuild {
  readonly item: number;
  readonly parameters: Record<string, string>;
  /** Undefined while it is in the queue. */
  number: number | undefined;
  result: string | null;
  cancelled: boolean;
}

/** What is asked of the remote API of Jenkins, at `/ci/`, with one job `team/shop`. Tests move the builds by hand. */
export interface FakeJenkins {
  readonly url: string;
  readonly builds: FakeBuild[];
  readonly requests: string[];
  /** Asked before each request; what it answers is answered instead. "cut": the request is done, the answer never comes. */
  fault: ((request: string) => number | "cut" | undefined) | undefined;
  /** Forgets the queue's items, as Jenkins does after five minutes. */
  forgetQueue(): void;
  /** Ends all sessions: their crumbs are void. */
  restart(): void;
  close(): Promise<void>;
}

const TOKEN = `Basic ${Buffer.from("robot:api-token").toString("base64")}`;
const PASSWORD = `Basic ${Buffer.from("robot:password").toString("base64")}`;
const JOB = "/ci/job/team/job/shop";

/** @param work where given, each build begins at once and ends with what this resolves with: `SUCCESS`; `FAILURE` where it throws. */
export async function fakeJenkins(
  work?: (parameters: Readonly<Record<string, string>>) => Promise<string>,
): Promise<FakeJenkins> {
  let forgotten = false;
  let session = 1;
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const jenkins: FakeJenkins = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ci`,
    builds: [],
    requests: [],
    fault: undefined,
    forgetQueue() {
      forgotten = true;
    },
    restart() {
      session += 1;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname } = new URL(request.url ?? "", jenkins.url);
    const name = `${request.method} ${pathname}`;
    jenkins.requests.push(name);
    const fault = jenkins.fault?.(name);
    if (typeof fault === "number") return response.writeHead(fault).end("<html>secret detail</html>");
    const [status, body, headers = {}] = route(name, request, Buffer.concat(chunks).toString());
    if (fault === "cut") return response.destroy();
    return response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
  }

  type Reply = [status: number, body: unknown, headers?: Record<string, string>];
  function route(name: string, request: IncomingMessage, body: string): Reply {
    const { authorization } = request.headers;
    if (authorization !== TOKEN && authorization !== PASSWORD) return [403, "no"];
    if (name === "GET /ci/crumbIssuer/api/json")
      return [
        200,
        { crumbRequestField: "Jenkins-Crumb", crumb: `crumb-${session}` },
        { "set-cookie": `JSESSIONID=${session}; Path=/; HttpOnly` },
      ];
    if (name === `POST ${JOB}/buildWithParameters`) return begin(request, body);
    if (name === "GET /ci/queue/api/json") return [200, { items: queued().map(item) }];
    if (name === `GET ${JOB}/api/json`)
      return [
        200,
        {
          builds: begun().map(build),
          buildable: true,
          property: [{ parameterDefinitions: [{ name: "SLUICE_BUILD_ID" }] }],
        },
      ];
    const inQueue = /^GET \/ci\/queue\/item\/(\d+)\/api\/json$/.exec(name);
    const one = jenkins.builds.find((each) => each.item === Number(inQueue?.[1]));
    if (inQueue) return one && !forgotten ? [200, item(one)] : [404, "gone"];
    const number = new RegExp(`^GET ${JOB}/(\\d+)/api/json$`).exec(name)?.[1];
    const found = jenkins.builds.find((each) => each.number === Number(number));
    return found ? [200, build(found)] : [404, "no such page"];
  }

  function begin({ headers }: IncomingMessage, body: string): Reply {
    const crumbed =
      headers["jenkins-crumb"] === `crumb-${session}` && headers.cookie === `JSESSIONID=${session}`;
    if (headers.authorization === PASSWORD && !crumbed)
      return [403, "No valid crumb was included in the request"];
    const number = jenkins.builds.length + 1;
    const parameters = Object.fromEntries(new URLSearchParams(body));
    const build: FakeBuild = {
      item: number * 10,
      parameters,
      number: work ? number : undefined,
      result: null,
      cancelled: false,
    };
    jenkins.builds.push(build);
    work?.(parameters).then(
      (result) => {
        build.result = result;
      },
      () => {
        build.result = "FAILURE";
      },
    );
    // The host is as wrong as that of a Jenkins whose own address is misconfigured.
    return [201, "", { location: `http://jenkins.invalid/ci/queue/item/${number * 10}/` }];
  }

  const queued = () => jenkins.builds.filter((one) => one.number === undefined && !one.cancelled);
  const begun = () => jenkins.builds.filter((one) => one.number !== undefined).reverse();
  const actions = ({ parameters }: FakeBuild) => [
    {},
    { parameters: Object.entries(parameters).map(([name, value]) => ({ name, value })) },
  ];
  const item = (one: FakeBuild) => ({
    id: one.item,
    cancelled: one.cancelled,
    why: one.number === undefined ? "Waiting for next available executor" : null,
    actions: actions(one),
    ...(one.number === undefined ? {} : { executable: { number: one.number } }),
  });
  const build = (one: FakeBuild) => ({
    number: one.number,
    queueId: one.item,
    building: one.result === null,
    result: one.result,
    actions: actions(one),
  });

  return jenkins;
}
