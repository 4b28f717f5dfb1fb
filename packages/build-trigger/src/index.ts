export {
  type BuildTarget,
  type BuildTrigger,
  type BuildTriggerOptions,
  buildTrigger,
} from "./build-trigger.ts";
export type { CiServer, CiState } from "./ci/ci-server.ts";
export type { CiTls } from "./ci/connection.ts";
export { type HttpEndpointOptions, httpEndpoint } from "./ci/http-endpoint.ts";
export { type JenkinsOptions, jenkins } from "./ci/jenkins.ts";
export { ID_PARAMETER } from "./ci/jenkins-builds.ts";
export type { JenkinsAuth } from "./ci/jenkins-session.ts";
export {
  type BuildEnd,
  type BuildLayout,
  type BuildRecord,
  type BuildState,
  buildLayout,
  isFinished,
} from "./record.ts";
export {
  type BuildRequest,
  type BuildRequests,
  listBuilds,
  type PushedBranch,
  requestBuild,
} from "./request.ts";
