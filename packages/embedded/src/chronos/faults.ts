import type { FaultyAnswer } from "../faults/faults.ts";

/** How Chronos fails, in its own words: answers for `faults().inject({ mishap: { answer } })`. */
export const chronosAnswers = {
  /** A failure inside 3.x: the message is a whole Java stack trace. */
  stackTrace: (reason = "java.lang.RuntimeException: ZooKeeper is gone"): FaultyAnswer => ({
    status: 500,
    body: {
      status: "Internal Server Error",
      message: `${reason}\n\tat org.apache.mesos.chronos.scheduler.jobs.JobScheduler.registerJobs(JobScheduler.scala:194)\n`,
    },
  }),
  /** A standby that cannot reach the leader it would pass the request on to. */
  noLeader: (): FaultyAnswer => ({ status: 500, body: "" }),
  tooBusy: (): FaultyAnswer => ({
    status: 503,
    body: "<html>\n<head>\n<title>Error 503 Service Unavailable</title>\n</head>\n<body><h2>HTTP ERROR 503</h2></body>\n</html>\n",
  }),
};
