import type { FaultyAnswer } from "../faults/faults.ts";

/** How Marathon refuses, in its own words: answers for `faults().inject({ mishap: { answer } })`. */
export const marathonAnswers = {
  /** A write to an app that a deployment works on. */
  locked: (deployment: string): FaultyAnswer => ({
    status: 409,
    body: {
      message:
        "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
      deployments: [{ id: deployment }],
    },
  }),
  tooManyDeployments: (limit = 100): FaultyAnswer => ({
    status: 403,
    body: {
      message: `Max number (${limit}) of running deployments is achieved. Wait for existing deployments to complete or cancel one using force=true parameter. You can increase max deployment number by using --max_running_deployments parameter`,
    },
  }),
  /** What a standby node says while nobody leads. */
  noLeader: (): FaultyAnswer => ({
    status: 502,
    body: { message: "Could not determine the current leader" },
  }),
  /** More requests at a time than the server takes; the body is Jetty's page. */
  tooBusy: (): FaultyAnswer => ({
    status: 503,
    body: "<html>\n<head>\n<title>Error 503 Service Unavailable</title>\n</head>\n<body><h2>HTTP ERROR 503</h2>\n<p>Problem accessing the server. Reason:\n<pre>    Service Unavailable</pre></p></body>\n</html>\n",
  }),
};
