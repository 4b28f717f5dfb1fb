export { readDocuments, type SyntaxProblem, type TextDocument, type TextPlace } from "./document.ts";
export {
  ERROR_CODES,
  type ErrorCode,
  isSluiceError,
  messageOf,
  type RefusedField,
  SluiceError,
} from "./errors.ts";
export { type BackoffOptions, backoffMs, jittered, type Random } from "./loop/backoff.ts";
export { wakeAtEach } from "./loop/hints.ts";
export { type LeadershipOptions, leadWhileHeld } from "./loop/leadership.ts";
export { missingRules } from "./loop/missing-rules.ts";
export { AGAIN, OK, type Outcome, runSteps, type Step, stalled, wait } from "./loop/outcome.ts";
export {
  INTERRUPTED,
  type ReconcileLoop,
  type ReconcileLoopOptions,
  reconcileLoop,
} from "./loop/reconcile-loop.ts";
export type { Change, ChangeCause, Plan, Verdict } from "./model/change.ts";
export {
  DEPLOYMENT_NOTES_REF,
  type DeploymentNote,
  formatDeploymentNote,
  type NotedProblem,
  parseDeploymentNotes,
} from "./model/deployment-note.ts";
export { blobId, EMPTY_DIGEST, type FileSetDigest, toggleFiles } from "./model/digest.ts";
export { parseDuration } from "./model/duration.ts";
export {
  type ChangeSummary,
  EVERY_ENVIRONMENT,
  type EventBody,
  type EventType,
  type SluiceEvent,
} from "./model/events.ts";
export { fingerprintOf } from "./model/fingerprint.ts";
export { HEALTHS, type Health, type SyncStatus, worstHealth } from "./model/health.ts";
export {
  type CommitId,
  commitId,
  type EnvName,
  envName,
  type Fingerprint,
  type JobId,
  type JobKey,
  jobId,
  jobKey,
  type ObjectId,
  parseRevision,
  type Revision,
  revisionOf,
  shortRevision,
  splitJobKey,
  type TargetName,
  targetName,
} from "./model/ids.ts";
export {
  DEFAULT_JOB_OPTIONS,
  type DesiredJob,
  type FieldChange,
  type HealedRow,
  type HealthySpec,
  type InventoryEntry,
  isWell,
  type JobOptions,
  type LiveJob,
  type Observation,
  type Ownership,
  type Problem,
} from "./model/job.ts";
export { canonicalJson, isJsonObject, type Json, type JsonObject, sameJson } from "./model/json.ts";
export { type KvLayout, kvLayout } from "./model/layout.ts";
export { isLfsPointer } from "./model/lfs.ts";
export type { ChangesRecord, CommitInfo, FileChange, RevisionMarker, SkippedFile } from "./model/marker.ts";
export { decodePath, displayPath, encodePath, type FilePath } from "./model/path.ts";
export { REASONS, type Reason } from "./model/reason.ts";
export { decodeRecord, encodeRecord } from "./model/records.ts";
export type { DeploymentCounts, DeploymentStatus, JobStatus, SilentTarget } from "./model/status.ts";
export { type Desired, type DesiredFile, resolveDesired } from "./plan/desired.ts";
export { dependencyCycles } from "./plan/order.ts";
export { plan } from "./plan/plan.ts";
export type { LiveByTarget, LiveListing, Objection, PlanInput } from "./plan/plan-input.ts";
export { DEFAULT_PRUNE_LIMITS, type PruneLimits, type PrunePolicy } from "./plan/prune-policy.ts";
export { type JobResult, settle, transition } from "./plan/settle.ts";
export type {
  Catalog,
  CatalogWatchOptions,
  CheckProbe,
  CheckStatus,
  RegisteredService,
  ServiceCheck,
  ServiceDefinition,
  ServiceInstance,
} from "./ports/catalog.ts";
export { type Clock, systemClock } from "./ports/clock.ts";
export type { CommitNotes, NoteText } from "./ports/commit-notes.ts";
export type { CommitRequest, Committer, FileEdit, Person } from "./ports/committer.ts";
export { type Emit, type EventSink, emitterFor } from "./ports/event-sink.ts";
export type {
  Kv,
  KvCommit,
  KvEntry,
  KvFence,
  KvLimits,
  KvLock,
  KvLockOptions,
  KvOp,
  KvWatchOptions,
} from "./ports/kv.ts";
export type {
  ApplyRequest,
  FieldOfJob,
  JobFormat,
  LiveQuery,
  ParsedFile,
  ParsedJob,
  Proof,
  RemoveRequest,
  Scheduler,
} from "./ports/scheduler.ts";
export type { Blobs, Source, TreeChange, TreeFile } from "./ports/source.ts";
export { MASK, maskField, redact, secretValues } from "./redact.ts";
export { suggest } from "./suggest.ts";
